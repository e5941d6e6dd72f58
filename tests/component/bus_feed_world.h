/* bus_feed_world.h - a feed's producer over a real store, and a consumer that counts what it gets: for the
 * tests of both ends. */
#ifndef AVVIK_TESTS_BUS_FEED_WORLD_H
#define AVVIK_TESTS_BUS_FEED_WORLD_H

#include "bus/feed.h"
#include "bus_world.h"
#include "wire/message.h"

#define FILED AVVIK__V1__EVENT__BODY_REPORT_FILED
#define CLOSED AVVIK__V1__EVENT__BODY_CASE_CLOSED
#define SECRET AVVIK__V1__EVENT__BODY_PRINCIPALS_CHANGED /* nobody may see it */

/* All on one loop. The consumer and its bus are there between feeds_follow and feeds_unfollow. */
struct feeds {
	struct world world;
	struct av_random random;
	struct av_store *store;
	struct av_feed_server *server;
	struct av_socket *fake; /* producer */
	uint64_t asked[8];	/* of the fake one: after which sequences */
	size_t requests, answered;
	char endpoint[100];
	uint64_t appended;
	/* the consumer, with a bus of its own */
	struct av_bus *bus;
	struct av_feed_client *client;
	struct av_cursor cursor;
	bool slow; /* the owner does not say done */
	uint64_t batches, empty, items, last, out_of_order, want_last, want_batches;
	size_t largest_items, largest_bytes, parts;
	bool moved;
	Avvik__V1__FeedRefusalCode refused;
	unsigned int refusals;
};

/* In force at the start: ALICE may read FILED and CLOSED, BOB CLOSED alone, CAROL nothing. */
#define FEEDS_ROWS 3
extern const struct world_row feeds_rows[FEEDS_ROWS];

/* cmocka: *state is a struct feeds, with its producer open and nothing that follows. */
int feeds_start(void **state);
int feeds_stop(void **state);
#define feeds_test(function) cmocka_unit_test_setup_teardown(function, feeds_start, feeds_stop)

/* Appends `count` events of one kind, each with about `bytes` of it in its case id's place. */
void feeds_append(struct feeds *f, unsigned int number, size_t count, size_t bytes);
/* The producer, at the endpoint it had before. */
void feeds_open_server(struct feeds *f);
/* The consumer, with that person's keys, reads on from f->cursor. */
void feeds_follow(struct feeds *f, enum who who, uint32_t events, uint32_t bytes);
void feeds_unfollow(struct feeds *f);
/* Runs the loop until the consumer has reached `last`. False: time ran out. */
bool feeds_run_to(struct feeds *f, uint64_t last, unsigned int ms);

#endif
