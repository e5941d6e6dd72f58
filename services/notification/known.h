/* known.h - the directory and the rule packs that have arrived, unpacked and indexed once. One per thread.
 *
 * What is kept is held against the store at each call, so that a turn that was undone or a newer publication
 * is noticed.
 */
#ifndef NOTIFICATION_KNOWN_H
#define NOTIFICATION_KNOWN_H

#include "notification_store.h"
#include "org/org.h"

struct known;

void *known_create(void); /* struct known *; NULL when out of memory */
void known_destroy(void *known);

/* Valid until the next call with another store content. AV_NOT_FOUND: none has arrived yet. */
int known_org(struct known *known, struct av_txn *txn, const struct av_org **ret_org);
int known_pack(
	struct known *known, struct av_txn *txn, const char *version, const Avvik__V1__RulePack **ret_pack);
/* The id of the directory's event, to see whether it has changed. Zero: none. */
struct av_id known_org_id(const struct known *known);

/* The writer's: has this run put right what an earlier one left behind? Forgotten with the cache when a turn
 * is undone; the outbox says it again then. See delivery.c. */
bool known_started(const struct known *known);
void known_set_started(struct known *known);

#endif
