/* crypto.h - hashes, sealing, signatures: libsodium behind one file.
 *
 * BLAKE2b-256 for hashes, XChaCha20-Poly1305 for sealing, Ed25519 for signatures. Functions without a status cannot
 * fail once av_crypto_start() has succeeded. Secrets are wiped by the caller with av_wipe().
 */
#ifndef AVVIK_SEAL_CRYPTO_H
#define AVVIK_SEAL_CRYPTO_H

#include "base/bytes.h"
#include "base/random.h"
#include "base/status.h"

#define AV_HASH_SIZE 32
#define AV_KEY_SIZE 32
#define AV_SIGN_PUBLIC_SIZE 32
#define AV_SIGN_SECRET_SIZE 64
#define AV_SIGNATURE_SIZE 64
#define AV_SEAL_NONCE 24
#define AV_SEAL_EXTRA 40 /* nonce 24 before, tag 16 after */
#define AV_FINGERPRINT_SIZE 16

int av_crypto_start(void); /* once per process, from any thread; AV_CRYPTO */
void av_hash(struct av_bytes data, unsigned char ret_hash[AV_HASH_SIZE]);
/* Of several pieces as one. */
void av_hash_pieces(const struct av_bytes *pieces, size_t count, unsigned char ret_hash[AV_HASH_SIZE]);
void av_hash_keyed(
	const unsigned char key[AV_KEY_SIZE], struct av_bytes data, unsigned char ret_hash[AV_HASH_SIZE]);
/* Tells bytes apart at a fraction of the price (SipHash-2-4, 128 bits, no secret): for recognising, never for proving. */
void av_fingerprint(struct av_bytes data, unsigned char ret_print[AV_FINGERPRINT_SIZE]);
/* for attachments and files, as others compute it */
void av_sha256(struct av_bytes data, unsigned char ret_hash[32]);

/* ret_sealed takes data.size + AV_SEAL_EXTRA bytes: nonce, ciphertext, tag. `bound` is authenticated, not hidden. The data may
 * lie where its ciphertext will, AV_SEAL_NONCE bytes into ret_sealed. */
void av_seal(const unsigned char key[AV_KEY_SIZE], struct av_bytes bound, struct av_bytes data,
	struct av_random *random, void *ret_sealed);
/* ret_data takes sealed.size - AV_SEAL_EXTRA bytes. AV_CRYPTO when it was changed, or the key or `bound` is another. */
int av_unseal(
	const unsigned char key[AV_KEY_SIZE], struct av_bytes bound, struct av_bytes sealed, void *ret_data);

void av_sign_keypair(struct av_random *random, unsigned char ret_public[AV_SIGN_PUBLIC_SIZE],
	unsigned char ret_secret[AV_SIGN_SECRET_SIZE]);
/* Ed25519 over `context` (a constant of the use, such as "avvik turn v1"), a NUL and the message. */
void av_sign(const unsigned char secret[AV_SIGN_SECRET_SIZE], const char *context, struct av_bytes message,
	unsigned char ret_signature[AV_SIGNATURE_SIZE]);
int av_sign_check(const unsigned char public_key[AV_SIGN_PUBLIC_SIZE], const char *context,
	struct av_bytes message, const unsigned char signature[AV_SIGNATURE_SIZE]); /* AV_CRYPTO */

void av_wipe(void *secret, size_t size);
bool av_same_secret(const void *a, const void *b, size_t size); /* in constant time */

/* A key file: 2 * size hex digits and a newline, mode 0600 (or a systemd credential). size is at most 256.
 * AV_NOT_FOUND, AV_INVALID (not such a file, or readable by others), AV_IO. */
int av_key_file_load(const char *path, void *ret_key, size_t size);
int av_key_file_save(const char *path, const void *key, size_t size); /* AV_EXISTS: never overwrites */

#endif
