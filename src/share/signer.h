/* DKIM signatures of mail (RFC 6376, with the keys of RFC 8301 and 8463), through libopendkim. */
#pragma once

#include "core/err.h"

#include <stddef.h>

struct signer;

/* `key` is a PEM file of an RSA key (2,048 bits or more) or an Ed25519 key, read now. -EINVAL with a sentence. */
int signer_open(const char *key, const char *selector, const char *domain, struct signer **ret_signer,
		struct err *err) must_check;
void signer_close(struct signer *signer); /* NULL is fine */

/* The field that goes in front of the mail, "DKIM-Signature: ... \r\n"; to be freed. */
int signer_sign(const struct signer *signer, const char *mail, size_t bytes, char **ret_field,
		struct err *err) must_check;
