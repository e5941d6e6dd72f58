/* quarantine.h - events that could not be handled, and those that wait behind them.
 *
 * Record (AV_TABLE_QUARANTINE, key: feed NUL sequence u64): version u8 = 1, state u8 (1 failed, 2 waiting), attempts
 * u32, first_at_ms u64, case id 16, cause size u16, cause text, then the packed FeedItem.
 */
#ifndef AVVIK_STORE_QUARANTINE_H
#define AVVIK_STORE_QUARANTINE_H

#include "store/store.h"

struct av_quarantined {
	const char *feed; /* in arena or record: valid while the transaction is */
	uint64_t sequence;
	bool waiting;
	uint32_t attempts;
	int64_t first_at_ms;
	struct av_id case_id; /* zero: none */
	struct av_bytes cause, item;
};

void av_quarantine_store(struct av_txn *txn, const struct av_quarantined *entry);
int av_quarantine_load(
	struct av_txn *txn, const char *feed, uint64_t sequence, struct av_quarantined *ret_entry);
void av_quarantine_delete(struct av_txn *txn, const char *feed, uint64_t sequence);
/* Is an earlier event of the case in quarantine? Cheap when the table is empty. */
bool av_quarantine_holds(struct av_txn *txn, const char *feed, const struct av_id *case_id);
/* In order; feed NULL: all. The visitor answers false to stop. */
typedef bool av_quarantine_visitor(void *context, const struct av_quarantined *entry);
void av_quarantine_each(struct av_txn *txn, const char *feed, av_quarantine_visitor *visit, void *context);

#endif
