/* references.h - what makes commands safe to repeat.
 *
 * Record (AV_TABLE_REFERENCES, key: principal NUL reference): version u8 = 1, keyed hash 32 of kind and canonical body, sequence
 * u64 of its (first) event, case id 16 or zero, then the packed Reply without receipt.
 */
#ifndef AVVIK_STORE_REFERENCES_H
#define AVVIK_STORE_REFERENCES_H

#include "store/store.h"

struct av_reference {
	unsigned char hash[32];
	uint64_t sequence;
	struct av_id case_id;
	struct av_bytes reply; /* dies with the transaction */
};

/* AV_NOT_FOUND. AV_TOO_LARGE: principal and reference do not fit in a key. */
int av_reference_find(
	struct av_txn *txn, const char *principal, const char *reference, struct av_reference *ret_found);
void av_reference_store(
	struct av_txn *txn, const char *principal, const char *reference, const struct av_reference *entry);

#endif
