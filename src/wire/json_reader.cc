/* simdjson behind C: the only C++ here, because the library is. See json.h. */
#include "wire/json.h"

#include <cerrno>
#include <memory>
#include <new>
#include <simdjson.h>

struct json_reader {
	explicit json_reader(size_t most) : parser(most), most_bytes(most)
	{
	}
	simdjson::dom::parser parser; /* refuses what is longer than `most` by itself too */
	std::unique_ptr<char[]> compact;
	size_t most_bytes;
};

struct json_reader *json_reader_new(size_t most_bytes, unsigned most_depth)
{
	std::unique_ptr<json_reader> reader(new (std::nothrow) json_reader(most_bytes));
	if (!reader)
		return nullptr;
	reader->compact.reset(new (std::nothrow) char[most_bytes + simdjson::SIMDJSON_PADDING]());
	if (!reader->compact || reader->parser.allocate(most_bytes, most_depth) != simdjson::SUCCESS ||
	    reader->parser.doc.allocate(most_bytes) != simdjson::SUCCESS)
		return nullptr;
	return reader.release();
}

void json_reader_free(struct json_reader *reader)
{
	delete reader;
}

int json_read(struct json_reader *reader, const char *text, size_t bytes, struct json_tape *ret_tape,
	      const char **ret_compact, size_t *ret_compact_bytes, struct err *err)
{
	if (bytes > reader->most_bytes)
		return err_set(err, -E2BIG, "%zu bytes; at most %zu were expected", bytes, reader->most_bytes);
	size_t compact_bytes = 0;
	char *compact = reader->compact.get();
	simdjson::error_code code = simdjson::minify(text, bytes, compact, compact_bytes);
	if (code == simdjson::SUCCESS)
		code = reader->parser.parse(compact, compact_bytes, false).error();
	if (code != simdjson::SUCCESS)
		return err_set(err, -EBADMSG, "not JSON: %s", simdjson::error_message(code));
	ret_tape->words = reader->parser.doc.tape.get();
	ret_tape->strings = reinterpret_cast<const char *>(reader->parser.doc.string_buf.get());
	*ret_compact = compact;
	*ret_compact_bytes = compact_bytes;
	return 0;
}
