/* Taking the fields of a member one by one; for member_form.c. */
#pragma once

#include "store/member_form.h"

struct member_choice {
	const char *name, *name_ja;
};

/* The field being taken. */
struct member_form {
	json_t *remarks;
	const char *field;
	const struct member_choice *choices; /* the first is meant where nothing is given */
	size_t most;
	bool needed, refused;
};

/* Normal form of what was given, a new reference; NULL: refused with a remark, or out of memory. */
json_t *member_take_key(struct member_form *form, const json_t *given);
json_t *member_take_other(struct member_form *form, const json_t *given); /* key of another, or null */
json_t *member_take_name(struct member_form *form, const json_t *given);
json_t *member_take_notes(struct member_form *form, const json_t *given);
json_t *member_take_choice(struct member_form *form, const json_t *given);
json_t *member_take_instant(struct member_form *form, const json_t *given);
json_t *member_take_prefixes(struct member_form *form, const json_t *given);
json_t *member_take_asns(struct member_form *form, const json_t *given);
json_t *member_take_domains(struct member_form *form, const json_t *given);
json_t *member_take_endpoints(struct member_form *form, const json_t *given);
json_t *member_take_contacts(struct member_form *form, const json_t *given);
