/* receipt.h - receipts: made at the end of a turn, verified offline by anyone with the public key. */
#ifndef AVVIK_SEAL_RECEIPT_H
#define AVVIK_SEAL_RECEIPT_H

#include "avvik/v1/report.pb-c.h"
#include "seal/merkle.h"
#include "wire/message.h"

#define AV_TURN_CONTEXT "avvik turn v1"
#define AV_GRANT_CONTEXT "avvik grant v1"

/* BLAKE2b-256 keyed with `blinding` over the BLAKE2b-256 of the packed FileReport or SupplementReport. */
void av_commitment(const unsigned char blinding[AV_KEY_SIZE], struct av_bytes packed,
	unsigned char ret_hash[AV_HASH_SIZE]);
/* The same for bytes whose BLAKE2b-256 is known. */
void av_commitment_of_hash(const unsigned char blinding[AV_KEY_SIZE], const unsigned char hash[AV_HASH_SIZE],
	unsigned char ret_hash[AV_HASH_SIZE]);
/* The hash of a leaf: av_merkle_leaf over the packed ReceiptLeaf. */
int av_receipt_leaf_hash(
	const Avvik__V1__ReceiptLeaf *leaf, struct av_arena *arena, unsigned char ret_hash[AV_HASH_SIZE]);
/* Signs `seal` (fills in signature, which lives in the arena). */
int av_turn_sign(
	Avvik__V1__TurnSeal *seal, const unsigned char secret[AV_SIGN_SECRET_SIZE], struct av_arena *arena);
int av_turn_check(const Avvik__V1__TurnSeal *seal, const unsigned char public_key[AV_SIGN_PUBLIC_SIZE],
	struct av_arena *arena);

/* The whole proof. `packed_report` may be empty: then the content is not held against the commitment. *ret_text says in
 * words what holds or what does not (static). AV_CRYPTO, AV_INVALID (incomplete). */
int av_receipt_check(const Avvik__V1__Receipt *receipt, const unsigned char public_key[AV_SIGN_PUBLIC_SIZE],
	struct av_bytes packed_report, struct av_arena *arena, const char **ret_text);

#endif
