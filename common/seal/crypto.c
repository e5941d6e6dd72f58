/* crypto.c - libsodium behind one file, and the files that keys live in.
 *
 * Nothing here knows what is sealed or signed. A signature is plain Ed25519 over the context, a NUL and the
 * message, so that any Ed25519 implementation can check it.
 */
#include "seal/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/macros.h"

_Static_assert(AV_HASH_SIZE == crypto_generichash_BYTES, "BLAKE2b-256");
_Static_assert(AV_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "XChaCha20-Poly1305");
_Static_assert(AV_SEAL_EXTRA == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES +
					crypto_aead_xchacha20poly1305_ietf_ABYTES,
	"nonce and tag");
_Static_assert(AV_SEAL_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(AV_FINGERPRINT_SIZE == crypto_shorthash_siphashx24_BYTES, "SipHash-2-4");
_Static_assert(AV_SIGN_SECRET_SIZE == crypto_sign_SECRETKEYBYTES, "Ed25519");

#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define KEY_FILE_MAX 256 /* bytes of a key */

int av_crypto_start(void)
{
	return sodium_init() < 0 ? AV_CRYPTO : AV_OK;
}

void av_hash(struct av_bytes data, unsigned char ret_hash[AV_HASH_SIZE])
{
	crypto_generichash(ret_hash, AV_HASH_SIZE, data.data, data.size, NULL, 0);
}

void av_hash_pieces(const struct av_bytes *pieces, size_t count, unsigned char ret_hash[AV_HASH_SIZE])
{
	crypto_generichash_state state;
	crypto_generichash_init(&state, NULL, 0, AV_HASH_SIZE);
	for (size_t i = 0; i < count; i++)
		crypto_generichash_update(&state, pieces[i].data, pieces[i].size);
	crypto_generichash_final(&state, ret_hash, AV_HASH_SIZE);
}

void av_hash_keyed(
	const unsigned char key[AV_KEY_SIZE], struct av_bytes data, unsigned char ret_hash[AV_HASH_SIZE])
{
	crypto_generichash(ret_hash, AV_HASH_SIZE, data.data, data.size, key, AV_KEY_SIZE);
}

void av_fingerprint(struct av_bytes data, unsigned char ret_print[AV_FINGERPRINT_SIZE])
{
	static const unsigned char key[crypto_shorthash_siphashx24_KEYBYTES] = "avvik print v1";
	crypto_shorthash_siphashx24(ret_print, data.data, data.size, key);
}

void av_sha256(struct av_bytes data, unsigned char ret_hash[32])
{
	crypto_hash_sha256(ret_hash, data.data, data.size);
}

void av_seal(const unsigned char key[AV_KEY_SIZE], struct av_bytes bound, struct av_bytes data,
	struct av_random *random, void *ret_sealed)
{
	unsigned char *sealed = ret_sealed;
	av_random_fill(random, sealed, NONCE_SIZE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		sealed + NONCE_SIZE, NULL, data.data, data.size, bound.data, bound.size, NULL, sealed, key);
}

int av_unseal(
	const unsigned char key[AV_KEY_SIZE], struct av_bytes bound, struct av_bytes sealed, void *ret_data)
{
	const unsigned char *from = sealed.data;
	if (sealed.size < AV_SEAL_EXTRA)
		return AV_CRYPTO;
	return crypto_aead_xchacha20poly1305_ietf_decrypt(ret_data, NULL, NULL, from + NONCE_SIZE,
		       sealed.size - NONCE_SIZE, bound.data, bound.size, from, key) == 0
		       ? AV_OK
		       : AV_CRYPTO;
}

void av_sign_keypair(struct av_random *random, unsigned char ret_public[AV_SIGN_PUBLIC_SIZE],
	unsigned char ret_secret[AV_SIGN_SECRET_SIZE])
{
	unsigned char seed[crypto_sign_SEEDBYTES];
	av_random_fill(random, seed, sizeof seed);
	crypto_sign_seed_keypair(ret_public, ret_secret, seed);
	av_wipe(seed, sizeof seed);
}

/* What is signed: context, NUL, message. In `room` when it fits there, else from malloc: then the caller
 * frees it. */
static unsigned char *signed_bytes(
	const char *context, struct av_bytes message, unsigned char *room, size_t room_size, size_t *ret_size)
{
	size_t context_size = strlen(context) + 1;
	size_t size = context_size + message.size;
	unsigned char *bytes = size <= room_size ? room : malloc(size);
	if (!bytes)
		abort(); /* a signature cannot be left out, and its size was bounded long before */
	memcpy(bytes, context, context_size);
	if (message.size)
		memcpy(bytes + context_size, message.data, message.size);
	*ret_size = size;
	return bytes;
}

void av_sign(const unsigned char secret[AV_SIGN_SECRET_SIZE], const char *context, struct av_bytes message,
	unsigned char ret_signature[AV_SIGNATURE_SIZE])
{
	unsigned char room[2048];
	size_t size;
	unsigned char *bytes = signed_bytes(context, message, room, sizeof room, &size);
	crypto_sign_detached(ret_signature, NULL, bytes, size, secret);
	if (bytes != room)
		free(bytes);
}

int av_sign_check(const unsigned char public_key[AV_SIGN_PUBLIC_SIZE], const char *context,
	struct av_bytes message, const unsigned char signature[AV_SIGNATURE_SIZE])
{
	unsigned char room[2048];
	size_t size;
	unsigned char *bytes = signed_bytes(context, message, room, sizeof room, &size);
	int rc = crypto_sign_verify_detached(signature, bytes, size, public_key);
	if (bytes != room)
		free(bytes);
	return rc == 0 ? AV_OK : AV_CRYPTO;
}

void av_wipe(void *secret, size_t size)
{
	sodium_memzero(secret, size);
}

bool av_same_secret(const void *a, const void *b, size_t size)
{
	return sodium_memcmp(a, b, size) == 0;
}

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Nobody but its owner may read it. systemd lays an access list for the service on a credential that root
 * owns; its mask shows as the group's right to read, so that one is let through for root's own files. */
static bool is_private(const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || st->st_mode & (S_IWGRP | S_IXGRP | S_IRWXO))
		return false;
	return !(st->st_mode & S_IRGRP) || (st->st_uid == 0 && st->st_gid == 0);
}

int av_key_file_load(const char *path, void *ret_key, size_t size)
{
	char text[2 * KEY_FILE_MAX + 2];
	struct stat st;
	if (size > KEY_FILE_MAX)
		return AV_INVALID;
	int fd AV_CLEANUP(close_fd)
	= open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? AV_NOT_FOUND : AV_IO;
	if (fstat(fd, &st) < 0)
		return AV_IO;
	if (!is_private(&st))
		return AV_INVALID;
	ssize_t got = read(fd, text, 2 * size + 2);
	if (got < 0)
		return AV_IO;
	if (got > 0 && text[got - 1] == '\n')
		got--;
	int status = AV_INVALID;
	if ((size_t)got == 2 * size) {
		text[got] = '\0';
		status = av_unhex(text, ret_key, size);
	}
	av_wipe(text, sizeof text);
	return status;
}

static int sync_folder_of(const char *path)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	if (length >= sizeof folder)
		return AV_IO;
	memcpy(folder, path, length);
	memcpy(folder + length, length ? "" : slash ? "/" : ".", length ? 1 : 2);
	int fd AV_CLEANUP(close_fd)
	= open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? AV_IO : AV_OK;
}

static int write_new_file(const char *path, const char *text, size_t size)
{
	int fd AV_CLEANUP(close_fd)
	= open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fchmod(fd, 0600) < 0 || write(fd, text, size) != (ssize_t)size || fsync(fd) < 0)
		return AV_IO;
	return AV_OK;
}

/* Written aside and linked into place: the name appears with the whole content, or not at all. */
int av_key_file_save(const char *path, const void *key, size_t size)
{
	char text[2 * KEY_FILE_MAX + 2], aside[4096];
	if (size > KEY_FILE_MAX)
		return AV_INVALID;
	if ((size_t)snprintf(aside, sizeof aside, "%s.%ld.new", path, (long)getpid()) >= sizeof aside)
		return AV_IO;
	av_hex(key, size, text);
	text[2 * size] = '\n';
	int status = write_new_file(aside, text, 2 * size + 1);
	av_wipe(text, sizeof text);
	if (status == AV_OK && link(aside, path) < 0)
		status = errno == EEXIST ? AV_EXISTS : AV_IO;
	unlink(aside);
	return status == AV_OK ? sync_folder_of(path) : status;
}
