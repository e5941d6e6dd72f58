/* turn_journal.h - a producer's journal that a test keeps, any part of which can be given to the toy at any time. */
#ifndef AVVIK_TESTS_TURN_JOURNAL_H
#define AVVIK_TESTS_TURN_JOURNAL_H

#include "turn_world.h"

struct world_journal {
	struct av_id epoch;
	uint64_t count;
	struct av_bytes events[64];
	struct av_id ids[64];
	bool addresses; /* each item carries an opened address */
	const struct av_id
		*asked_in; /* the epoch in which a batch is asked for; NULL: where the cursor stands */
};

/* The event gets its id and the next sequence. */
void world_add(struct harness *h, struct world_journal *journal, Avvik__V1__Event *event);
/* From a backup: the first `keep` events, another epoch, and JournalRestored behind them. */
void world_restored(struct harness *h, struct world_journal *journal, uint64_t keep);
/* A new store: another epoch, and StoreMade as its first event. */
void world_made(struct harness *h, struct world_journal *journal);

/* Gives the events behind `after` up to and with `until` in one batch. `moved`: the producer has said that its
 * epoch is another. */
struct av_item world_give(
	struct harness *h, const struct world_journal *journal, uint64_t after, uint64_t until, bool moved);
/* Where the toy stands in it. */
struct av_cursor world_cursor(struct harness *h);

#endif
