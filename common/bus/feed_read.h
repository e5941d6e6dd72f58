/* feed_read.h - one batch of a feed, read from the journal. For feed_server.c alone. */
#ifndef AVVIK_BUS_FEED_READ_H
#define AVVIK_BUS_FEED_READ_H

#include "bus/feed.h"
#include "seal/crypto.h"

#define FEED_NUMBERS_MAX 512 /* body numbers are below this */

/* What one principal may see. */
struct feed_view {
	unsigned char numbers[FEED_NUMBERS_MAX / 8];
	bool contacts;
	unsigned char hash[AV_HASH_SIZE];
};

void feed_view_make(const struct av_feed_server_options *options, const struct av_principal *principal,
	struct feed_view *ret_view);

/* What follows on `after`, within the credit: adds the items to the batch and moves *reached. The items point
 * into the store's map until they are packed. Below 0: nothing could be read. */
struct feed_credit {
	struct av_position after;
	uint32_t max_events, max_bytes;
};
int feed_read(const struct av_feed_server_options *options, struct av_txn *txn,
	const struct feed_credit *credit, const struct feed_view *view, struct av_arena *arena,
	Avvik__V1__FeedBatch *batch, struct av_position *reached);

#endif
