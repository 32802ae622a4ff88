/* Static files in memory. Names that hold a hash (Vite's NAME-HASH.ext below assets/) never change and are cached for
 * ever (RFC 8246); the others are asked for again with their entity tag (RFC 9110 section 8.8.3).
 */
#include "hub/assets.h"

#include "hub/limits.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>
#include <zlib.h>

static const struct {
	const char *ending, *type;
	bool compress;
} asset_types[] = {
	{".html", "text/html; charset=utf-8", true},
	{".js", "text/javascript; charset=utf-8", true},
	{".mjs", "text/javascript; charset=utf-8", true},
	{".css", "text/css; charset=utf-8", true},
	{".json", "application/json", true},
	{".map", "application/json", true},
	{".webmanifest", "application/manifest+json", true},
	{".svg", "image/svg+xml", true},
	{".txt", "text/plain; charset=utf-8", true},
	{".wasm", "application/wasm", true},
	{".bin", "application/octet-stream", true},
	{".png", "image/png", false},
	{".jpg", "image/jpeg", false},
	{".webp", "image/webp", false},
	{".ico", "image/vnd.microsoft.icon", false},
	{".woff2", "font/woff2", false},
};

static void asset_type(struct asset *asset, bool *ret_compress)
{
	size_t length = strlen(asset->path);
	asset->type = "application/octet-stream";
	*ret_compress = false;
	for (size_t i = 0; i < sizeof asset_types / sizeof *asset_types; i++) {
		size_t ending = strlen(asset_types[i].ending);
		if (length > ending && strcmp(asset->path + length - ending, asset_types[i].ending) == 0) {
			asset->type = asset_types[i].type;
			*ret_compress = asset_types[i].compress;
		}
	}
}

static int asset_compress(struct asset *asset, struct pool *pool)
{
	z_stream stream = {0};
	if (asset->length < 256 || asset->length > UINT32_MAX / 2)
		return 0;
	if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	size_t room = deflateBound(&stream, asset->length);
	uint8_t *out = pool_alloc(pool, room);
	if (!out) {
		deflateEnd(&stream);
		return -ENOMEM;
	}
	stream.next_in = (uint8_t *)asset->bytes;
	stream.avail_in = (unsigned)asset->length;
	stream.next_out = out;
	stream.avail_out = (unsigned)room;
	bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
	deflateEnd(&stream);
	if (!whole || stream.total_out > asset->length * 9 / 10) {
		pool_release(pool, out);
		return 0;
	}
	asset->gzip = out;
	asset->gzip_length = stream.total_out;
	return 0;
}

/* Vite: assets/NAME-XXXXXXXX.ext with eight characters of base64url. */
static bool asset_name_has_hash(const char *path)
{
	const char *dash = strrchr(path, '-'), *dot = strrchr(path, '.');
	while (dash && dot && dash > path && dot - dash < 9) { /* the hash itself may hold '-' */
		const char *before = memrchr(path, '-', (size_t)(dash - path));
		if (!before)
			return false;
		dash = before;
	}
	return strncmp(path, "/assets/", 8) == 0 && dash && dot && dot - dash == 9;
}

static int asset_read(const char *file, const char *path, size_t bytes, struct pool *pool, struct assets *assets,
		      struct err *err)
{
	if (bytes > LIMIT_ASSETS_BYTES || assets->bytes + bytes > LIMIT_ASSETS_BYTES)
		return err_set(err, -EFBIG, "%s: the pages are larger than %d MiB", file, LIMIT_ASSETS_BYTES >> 20);
	if (assets->count == assets->room) {
		size_t room = assets->room ? assets->room * 2 : 64;
		struct asset *grown = pool_array(pool, room, sizeof *grown);
		if (!grown)
			return err_set(err, -ENOMEM, "no memory for the pages");
		if (assets->count)
			memcpy(grown, assets->items, assets->count * sizeof *grown);
		pool_release(pool, assets->items);
		assets->items = grown;
		assets->room = room;
	}
	struct asset asset = {.path = pool_text(pool, path), .length = bytes, .immutable = asset_name_has_hash(path)};
	uint8_t *content = pool_alloc(pool, bytes + 1);
	FILE *stream = fopen(file, "re");
	bool whole = asset.path && content && stream && fread(content, 1, bytes, stream) == bytes;
	if (stream)
		fclose(stream);
	if (!whole)
		return err_set(err, -EIO, "%s: cannot be read", file);
	asset.bytes = content;
	snprintf(asset.tag, sizeof asset.tag, "\"%016llx\"", (unsigned long long)XXH3_64bits(content, bytes));
	bool compress;
	asset_type(&asset, &compress);
	if (compress && asset_compress(&asset, pool) < 0)
		return err_set(err, -ENOMEM, "no memory for the pages");
	assets->items[assets->count++] = asset;
	assets->bytes += bytes;
	return 0;
}

static int assets_walk(const char *dir, const char *path, unsigned depth, struct pool *pool, struct assets *assets,
		       struct err *err)
{
	DIR *stream = opendir(dir);
	if (!stream)
		return err_set(err, -errno, "%s: %s", dir, strerror(errno));
	int result = 0;
	for (struct dirent *entry; result == 0 && (entry = readdir(stream)) != NULL;) {
		char file[4096], below[1024];
		struct stat status;
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(file, sizeof file, "%s/%s", dir, entry->d_name) >= (int)sizeof file ||
		    snprintf(below, sizeof below, "%s/%s", path, entry->d_name) >= (int)sizeof below)
			result = err_set(err, -ENAMETOOLONG, "%s/%s: the name is too long", dir, entry->d_name);
		else if (stat(file, &status) < 0)
			result = err_set(err, -errno, "%s: %s", file, strerror(errno));
		else if (S_ISDIR(status.st_mode) && depth < 8)
			result = assets_walk(file, below, depth + 1, pool, assets, err);
		else if (S_ISREG(status.st_mode))
			result = asset_read(file, below, (size_t)status.st_size, pool, assets, err);
	}
	closedir(stream);
	return result;
}

static int asset_compare(const void *a, const void *b)
{
	return strcmp(((const struct asset *)a)->path, ((const struct asset *)b)->path);
}

int assets_read(const char *dir, struct pool *pool, struct assets *ret_assets, struct err *err)
{
	struct assets assets = {0};
	int result = assets_walk(dir, "", 0, pool, &assets, err);
	if (result < 0)
		return result;
	if (assets.count)
		qsort(assets.items, assets.count, sizeof *assets.items, asset_compare);
	*ret_assets = assets;
	return 0;
}

const struct asset *assets_find(const struct assets *assets, const char *path)
{
	struct asset wanted = {.path = path};
	return assets->count ? bsearch(&wanted, assets->items, assets->count, sizeof wanted, asset_compare) : NULL;
}
