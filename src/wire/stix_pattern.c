/* The grammar of OASIS' STIXPattern.g4 by recursive descent. See stix_pattern.h. */
#include "wire/stix_pattern.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

enum token { TOKEN_END, TOKEN_WORD, TOKEN_TEXT, TOKEN_NUMBER, TOKEN_LITERAL, TOKEN_SIGN, TOKEN_WRONG };

struct reading {
	const char *begin, *at, *end;
	enum token token;
	const char *word; /* the token; of texts between their quotes */
	size_t bytes;
	bool escapes;
	unsigned depth;
	bool alone;
	int (*value)(void *context, const struct stix_pattern_value *value);
	void *context;
	struct err *err;
};

struct path {
	const char *type, *path;
	size_t type_bytes, path_bytes;
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static void text_take(struct reading *r)
{
	r->word = ++r->at;
	r->escapes = false;
	while (r->at < r->end && *r->at != '\'') {
		r->escapes = r->escapes || *r->at == '\\';
		r->at += *r->at == '\\' && r->at + 1 < r->end ? 2 : 1;
	}
	r->bytes = (size_t)(r->at - r->word);
	r->token = r->at < r->end ? TOKEN_TEXT : TOKEN_WRONG;
	r->at += r->at < r->end;
}

static void blank_skip(struct reading *r)
{
	for (;;) {
		while (r->at < r->end && strchr(" \t\r\n\f\v", *r->at) && *r->at)
			r->at++;
		if (r->end - r->at < 2 || r->at[0] != '/' || (r->at[1] != '/' && r->at[1] != '*'))
			return;
		const char *stop = r->at[1] == '/' ? memchr(r->at, '\n', (size_t)(r->end - r->at))
						   : memmem(r->at + 2, (size_t)(r->end - r->at - 2), "*/", 2);
		r->at = !stop ? r->end : stop + (r->at[1] == '/' ? 1 : 2);
	}
}

static void next(struct reading *r)
{
	blank_skip(r);
	r->word = r->at;
	r->bytes = 0;
	if (r->at == r->end) {
		r->token = TOKEN_END;
		return;
	}
	char c = *r->at;
	if (c == '\'') {
		text_take(r);
		return;
	}
	if (strchr("hbt", c) && c && r->at + 1 < r->end && r->at[1] == '\'') { /* h'..', b'..', t'..' */
		r->at++;
		text_take(r);
		r->token = r->token == TOKEN_TEXT ? TOKEN_LITERAL : r->token;
		return;
	}
	bool sign = (c == '-' || c == '+') && r->at + 1 < r->end && r->at[1] >= '0' && r->at[1] <= '9';
	if (is_word(c) || sign) {
		bool number = sign || (c >= '0' && c <= '9');
		while (r->at < r->end && (is_word(*r->at) || (number && *r->at == '.') || (r->at == r->word && sign)))
			r->at++;
		r->token = number ? TOKEN_NUMBER : TOKEN_WORD;
	} else {
		bool two =
			strchr("<>!=", c) && r->at + 1 < r->end && (r->at[1] == '=' || (c == '<' && r->at[1] == '>'));
		r->at += two ? 2 : 1;
		r->token = TOKEN_SIGN;
	}
	r->bytes = (size_t)(r->at - r->word);
}

static int expected(struct reading *r, const char *what)
{
	return err_set(r->err, 1, "byte %zu: %s was expected", (size_t)(r->word - r->begin), what);
}

static bool sign_is(const struct reading *r, const char *sign)
{
	return r->token == TOKEN_SIGN && r->bytes == strlen(sign) && memcmp(r->word, sign, r->bytes) == 0;
}

static bool word_is(const struct reading *r, const char *word)
{
	return r->token == TOKEN_WORD && r->bytes == strlen(word) && memcmp(r->word, word, r->bytes) == 0;
}

static bool sign_take(struct reading *r, const char *sign)
{
	bool is = sign_is(r, sign);
	if (is)
		next(r);
	return is;
}

static bool word_take(struct reading *r, const char *word)
{
	bool is = word_is(r, word);
	if (is)
		next(r);
	return is;
}

/* type ':' name ('.' name | '[' (number | '*') ']')* ; the first name may be a text too. */
static int path_read(struct reading *r, struct path *path)
{
	if (r->token != TOKEN_WORD && r->token != TOKEN_NUMBER)
		return expected(r, "a type of object");
	path->type = r->word;
	path->type_bytes = r->bytes;
	next(r);
	if (!sign_take(r, ":"))
		return expected(r, "a colon");
	path->path = r->token == TOKEN_TEXT ? r->word - 1 : r->word;
	const char *end;
	for (;;) {
		if (r->token != TOKEN_WORD && r->token != TOKEN_TEXT && r->token != TOKEN_NUMBER)
			return expected(r, "a property's name");
		end = r->at;
		next(r);
		while (sign_take(r, "[")) {
			if (r->token != TOKEN_NUMBER && !sign_is(r, "*"))
				return expected(r, "a number or *");
			next(r);
			end = r->at;
			if (!sign_take(r, "]"))
				return expected(r, "]");
		}
		if (!sign_take(r, "."))
			break;
	}
	path->path_bytes = (size_t)(end - path->path);
	return 0;
}

static int literal_read(struct reading *r, const struct path *path, bool wanted, bool is_prefix)
{
	bool boolean = word_is(r, "true") || word_is(r, "false");
	if (r->token != TOKEN_TEXT && r->token != TOKEN_NUMBER && r->token != TOKEN_LITERAL && !boolean)
		return expected(r, "a value");
	const struct stix_pattern_value value = {.type = path->type,
						 .type_bytes = path->type_bytes,
						 .path = path->path,
						 .path_bytes = path->path_bytes,
						 .text = r->word,
						 .bytes = r->bytes,
						 .has_escapes = r->token == TOKEN_TEXT && r->escapes,
						 .alone = r->alone,
						 .is_prefix = is_prefix};
	bool give = wanted && r->token != TOKEN_LITERAL && !boolean;
	next(r);
	return give ? r->value(r->context, &value) : 0;
}

static int set_read(struct reading *r, const struct path *path, bool wanted)
{
	if (!sign_take(r, "("))
		return expected(r, "(");
	if (sign_take(r, ")"))
		return 0;
	for (;;) {
		int result = literal_read(r, path, wanted, false);
		if (result != 0)
			return result;
		if (sign_take(r, ")"))
			return 0;
		if (!sign_take(r, ","))
			return expected(r, "a comma or )");
	}
}

static int comparison_or(struct reading *r);

static int test_read(struct reading *r)
{
	static const char *const others[] = {"LIKE", "MATCHES", "ISSUPERSET"};
	struct path path;
	if (word_take(r, "EXISTS"))
		return path_read(r, &path);
	int result = path_read(r, &path);
	if (result != 0)
		return result;
	bool not = word_take(r, "NOT");
	if (sign_is(r, "=") || sign_is(r, "==")) {
		next(r);
		return literal_read(r, &path, !not, false);
	}
	if (sign_is(r, "!=") || sign_is(r, "<>")) {
		next(r);
		return literal_read(r, &path, not, false);
	}
	if (sign_is(r, "<") || sign_is(r, ">") || sign_is(r, "<=") || sign_is(r, ">=")) {
		next(r);
		return literal_read(r, &path, false, false);
	}
	if (word_take(r, "IN"))
		return set_read(r, &path, !not );
	if (word_take(r, "ISSUBSET"))
		return literal_read(r, &path, !not, true);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (word_take(r, others[i]))
			return literal_read(r, &path, false, false);
	return expected(r, "a comparison");
}

static int deeper(struct reading *r, int (*inner)(struct reading *), const char *close)
{
	if (++r->depth > STIX_PATTERN_DEPTH_MAX)
		return err_set(r->err, 1, "byte %zu: nested deeper than %d", (size_t)(r->word - r->begin),
			       STIX_PATTERN_DEPTH_MAX);
	int result = inner(r);
	r->depth--;
	if (result == 0 && !sign_take(r, close))
		result = expected(r, close);
	return result;
}

/* Whether the sequence that begins here has an AND (or FOLLOWEDBY) at its own level: looked for ahead, because a value
 * is handed out when it is met. `x_ref.type = 'ipv4-addr' AND x_ref.value = ...` only says of what kind a value is, and
 * does not count. */
static bool joined_ahead(const struct reading *r, bool outside)
{
	struct reading ahead = *r;
	unsigned level = 0, joints = 0, kinds = 0;
	for (bool dot = false, type = false; ahead.token != TOKEN_END && ahead.token != TOKEN_WRONG; next(&ahead)) {
		if (sign_is(&ahead, ")") || sign_is(&ahead, "]")) {
			if (level == 0)
				break;
			level--;
		}
		if (level == 0 && (word_is(&ahead, "FOLLOWEDBY") || (outside && word_is(&ahead, "REPEATS"))))
			return true;
		if (level == 0 && word_is(&ahead, "OR"))
			break;
		joints += level == 0 && word_is(&ahead, "AND");
		kinds += level == 0 && type && sign_is(&ahead, "=");
		type = dot && word_is(&ahead, "type");
		dot = sign_is(&ahead, ".");
		level += sign_is(&ahead, "(") || sign_is(&ahead, "[");
	}
	return joints > kinds;
}

static int comparison_term(struct reading *r)
{
	return sign_take(r, "(") ? deeper(r, comparison_or, ")") : test_read(r);
}

static int comparison_and(struct reading *r)
{
	bool was_alone = r->alone;
	r->alone = was_alone && !joined_ahead(r, false);
	int result = comparison_term(r);
	while (result == 0 && word_take(r, "AND"))
		result = comparison_term(r);
	r->alone = was_alone;
	return result;
}

static int comparison_or(struct reading *r)
{
	int result = comparison_and(r);
	while (result == 0 && word_take(r, "OR"))
		result = comparison_and(r);
	return result;
}

static int observation_or(struct reading *r);

static int qualifiers_read(struct reading *r)
{
	for (;;) {
		if (word_take(r, "WITHIN")) {
			if (r->token != TOKEN_NUMBER)
				return expected(r, "a number");
			next(r);
			if (!word_take(r, "SECONDS"))
				return expected(r, "SECONDS");
		} else if (word_take(r, "REPEATS")) {
			if (r->token != TOKEN_NUMBER)
				return expected(r, "a number");
			next(r);
			if (!word_take(r, "TIMES"))
				return expected(r, "TIMES");
		} else if (word_take(r, "START")) {
			if (r->token != TOKEN_LITERAL)
				return expected(r, "a time");
			next(r);
			if (!word_take(r, "STOP"))
				return expected(r, "STOP");
			if (r->token != TOKEN_LITERAL)
				return expected(r, "a time");
			next(r);
		} else {
			return 0;
		}
	}
}

static int observation_term(struct reading *r)
{
	int result;
	if (sign_take(r, "["))
		result = deeper(r, comparison_or, "]");
	else if (sign_take(r, "("))
		result = deeper(r, observation_or, ")");
	else
		return expected(r, "[ or (");
	return result == 0 ? qualifiers_read(r) : result;
}

static int observation_joined(struct reading *r)
{
	bool was_alone = r->alone;
	r->alone = was_alone && !joined_ahead(r, true);
	int result = observation_term(r);
	while (result == 0 && (word_take(r, "AND") || word_take(r, "FOLLOWEDBY")))
		result = observation_term(r);
	r->alone = was_alone;
	return result;
}

static int observation_or(struct reading *r)
{
	int result = observation_joined(r);
	while (result == 0 && word_take(r, "OR"))
		result = observation_joined(r);
	return result;
}

int stix_pattern_read(const char *text, size_t bytes,
		      int (*value)(void *context, const struct stix_pattern_value *value), void *context,
		      struct err *err)
{
	struct reading r = {.begin = text,
			    .at = text,
			    .end = text + bytes,
			    .alone = true,
			    .value = value,
			    .context = context,
			    .err = err};
	next(&r);
	int result = observation_or(&r);
	return result == 0 && r.token != TOKEN_END ? expected(&r, "the end") : result;
}
