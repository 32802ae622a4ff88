/* Signing mail. Relaxed canonicalization of header and body: servers on the way fold lines and trim blanks. */
#include "share/signer.h"

#include "sys/text_file.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <opendkim/dkim.h>

enum { KEY_BYTES_MAX = 16 << 10, RSA_BITS_LEAST = 2048, FIELD_INDENT = 16 };

struct signer {
	DKIM_LIB *library;
	char *key, *selector, *domain;
	dkim_alg_t algorithm;
};

static int key_check(struct signer *signer, const char *path, size_t bytes, struct err *err)
{
	BIO *memory = BIO_new_mem_buf(signer->key, (int)bytes);
	EVP_PKEY *key = memory ? PEM_read_bio_PrivateKey(memory, NULL, NULL, (void *)"") : NULL;
	int type = key ? EVP_PKEY_get_base_id(key) : 0, bits = key ? EVP_PKEY_get_bits(key) : 0;
	EVP_PKEY_free(key);
	BIO_free(memory);
	if (type == EVP_PKEY_ED25519) {
		signer->algorithm = DKIM_SIGN_ED25519SHA256;
		return 0;
	}
	signer->algorithm = DKIM_SIGN_RSASHA256;
	if (type != EVP_PKEY_RSA)
		return err_set(err, -EINVAL,
			       "%s: a private key in PEM, RSA or Ed25519, without a password was expected", path);
	if (bits < RSA_BITS_LEAST)
		return err_set(err, -EINVAL, "%s: a key of %d bits; %d or more were expected (RFC 8301, 3.2)", path,
			       bits, RSA_BITS_LEAST);
	return 0;
}

int signer_open(const char *key, const char *selector, const char *domain, struct signer **ret_signer, struct err *err)
{
	size_t bytes;
	struct signer *signer = calloc(1, sizeof *signer);
	if (!signer)
		return err_set(err, -ENOMEM, "no memory for signatures");
	int result = text_file_read(key, KEY_BYTES_MAX, &signer->key, &bytes, err);
	if (result == 0)
		result = key_check(signer, key, bytes, err);
	signer->selector = strdup(selector);
	signer->domain = strdup(domain);
	signer->library = dkim_init(NULL, NULL);
	if (result == 0 && (!signer->selector || !signer->domain || !signer->library))
		result = err_set(err, -ENOMEM, "no memory for signatures");
	if (result < 0)
		signer_close(signer);
	else
		*ret_signer = signer;
	return result;
}

void signer_close(struct signer *signer)
{
	if (!signer)
		return;
	if (signer->library)
		dkim_close(signer->library);
	free(signer->key);
	free(signer->selector);
	free(signer->domain);
	free(signer);
}

static int field_make(DKIM *dkim, char **ret_field)
{
	u_char *value = NULL;
	size_t bytes = 0, room;
	if (dkim_getsighdr_d(dkim, FIELD_INDENT, &value, &bytes) != DKIM_STAT_OK)
		return -EIO;
	FILE *out = open_memstream(ret_field, &room);
	if (!out)
		return -ENOMEM;
	fprintf(out, "DKIM-Signature: ");
	for (size_t i = 0; i < bytes; i++) {
		if (value[i] == '\n' && (i == 0 || value[i - 1] != '\r'))
			fputc('\r', out);
		fputc(value[i], out);
	}
	fputs("\r\n", out);
	return fclose(out) == 0 ? 0 : -ENOMEM;
}

int signer_sign(const struct signer *signer, const char *mail, size_t bytes, char **ret_field, struct err *err)
{
	DKIM_STAT status = DKIM_STAT_OK;
	DKIM *dkim = dkim_sign(signer->library, (const u_char *)"notice", NULL, (dkim_sigkey_t)signer->key,
			       (const u_char *)signer->selector, (const u_char *)signer->domain, DKIM_CANON_RELAXED,
			       DKIM_CANON_RELAXED, signer->algorithm, -1, &status);
	if (!dkim)
		return err_set(err, -EIO, "a mail cannot be signed: %s", dkim_getresultstr(status));
	status = dkim_chunk(dkim, (u_char *)mail, bytes);
	if (status == DKIM_STAT_OK)
		status = dkim_chunk(dkim, NULL, 0);
	if (status == DKIM_STAT_OK)
		status = dkim_eom(dkim, NULL);
	int result = status == DKIM_STAT_OK ? field_make(dkim, ret_field) : -EIO;
	if (result < 0) {
		const char *why = dkim_geterror(dkim);
		err_set(err, result, "a mail cannot be signed: %s", why ? why : dkim_getresultstr(status));
	}
	dkim_free(dkim);
	return result;
}
