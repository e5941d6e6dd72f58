/* harness.h - a daemon's handlers over a real store, without sockets, threads or a clock: for component tests.
 *
 *	struct harness *h = harness_open(&intake_service, harness_at("2026-04-07 09:00"));
 *	Avvik__V1__Reply *reply = harness_order(
 *		h, &publisher, "ref-1", NULL, AVVIK__V1__COMMAND__BODY_FILE_REPORT, &file.base);
 *	assert_int_equal(reply->status, AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE);
 *	Avvik__V1__Event *event = harness_last(h, AVVIK__V1__EVENT__BODY_REPORT_FILED);
 *	harness_check_replay(h);
 *	harness_close(&h);
 *
 * Everything that goes wrong in the harness itself fails the cmocka test. Replies and events live until
 * harness_close. The randomness is seeded: the same calls give the same journal.
 */
#ifndef AVVIK_TESTS_HARNESS_H
#define AVVIK_TESTS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "daemon/turn.h"

#define HARNESS_FEEDS 4

/* A producer that is played by the test: each event gets the next sequence of its journal. */
struct harness_producer {
	char name[40];
	struct av_id epoch;
	uint64_t sequence;
	unsigned char hash[AV_CHAIN_SIZE];
	uint64_t delivered; /* what the daemon under test was given and has committed */
};

struct harness_options {
	const struct av_service *service;
	int64_t now_ms;
	uint64_t seed;			     /* 0: 1 */
	size_t map_bytes;		     /* 0: 64 MiB */
	const Avvik__V1__Settings *settings; /* NULL: an embedded default, instance "test" */
};

struct harness {
	const struct av_service *service;
	char path[256]; /* a folder under TMPDIR; removed by harness_close */
	struct av_store *store;
	struct av_keystore *keys;
	struct av_turn *turn;
	struct av_random random;
	struct av_arena *arena; /* of all that is handed out */
	Avvik__V1__Settings settings;
	size_t map_bytes;
	int64_t now_ms;					/* assign, or harness_tick */
	unsigned char sign_public[32], sign_secret[64]; /* of the daemon under test */
	unsigned char grant_public[32],
		grant_secret[64]; /* of workflow; the daemon's own when it is workflow */
	unsigned char master[32];
	struct av_turn_result result; /* of the last turn */
	struct harness_producer producers[HARNESS_FEEDS];
	void *cache; /* of the service, for queries */
};

struct harness *harness_open(const struct av_service *service, int64_t now_ms);
struct harness *harness_open_with(const struct harness_options *options);
void harness_close(struct harness **h);
/* As after a restart: everything is closed and opened again, and recovers. */
void harness_restart(struct harness *h);
/* The same; `between` is called while it is down, with its folder: what happens to the files. */
void harness_restart_with(
	struct harness *h, void (*between)(void *context, struct harness *h), void *context);

/* "2026-04-07 09:00", Swedish local time. */
int64_t harness_at(const char *text);
/* A principal for all units and roles. Static storage is the caller's. */
struct av_principal harness_principal(const char *name, const char *kind, unsigned int rights);

/* One command in a turn (or as a query), through the wire form. The reply's bytes are unpacked into h->arena.
 */
Avvik__V1__Reply *harness_command(
	struct harness *h, const struct av_principal *principal, const Avvik__V1__Command *command);
/* The same by parts; `person` is on_behalf_of or NULL; reference NULL: none. `number` is
 * AVVIK__V1__COMMAND__BODY_… */
Avvik__V1__Reply *harness_order(struct harness *h, const struct av_principal *principal,
	const char *reference, const char *person, unsigned int number, ProtobufCMessage *body);
/* A command of raw bytes. */
Avvik__V1__Reply *harness_wire(struct harness *h, const struct av_principal *principal, struct av_bytes wire);
/* Prints the reply's status, text and faults when it is another one, and fails the test. */
void harness_want(const Avvik__V1__Reply *reply, Avvik__V1__ReplyStatus want);

/* One event of the producer `feed`, in a batch and turn of its own. Empty fields of the envelope are filled
 * in (id, times, trace, schema, sequence). `parts` are its opened addresses. Answers the status of the turn.
 */
int harness_feed(struct harness *h, const char *feed, Avvik__V1__Event *event);
int harness_feed_parts(struct harness *h, const char *feed, Avvik__V1__Event *event,
	Avvik__V1__OpenedPart **parts, size_t count);
/* Several events in one batch. */
int harness_feed_batch(struct harness *h, const char *feed, Avvik__V1__Event **events, size_t count);
/* All events of another harness' journal that have not been given yet: a daemon behind a daemon. Answers how
 * many. */
size_t harness_follow(struct harness *h, struct harness *producer);
/* The same events once more, from the start (an event given twice must have its effect once). */
void harness_follow_again(struct harness *h, struct harness *producer);
struct harness_producer *harness_producer(struct harness *h, const char *feed);
/* An event to feed: body set, case id and occurred-at optional. In h->arena. */
Avvik__V1__Event *harness_event(struct harness *h, unsigned int number, ProtobufCMessage *body,
	const struct av_id *case_id, int64_t occurred_at_ms);

/* Moves the time and does what is due until there is no more. Answers how many events came of it. */
size_t harness_tick(struct harness *h, int64_t now_ms);
/* Goes from due instant to due instant until `until_ms`, as the stepped clock does. */
size_t harness_advance(struct harness *h, int64_t until_ms);
/* The service's own next due instant; 0: none. */
int64_t harness_next_due(struct harness *h);
/* An inner item in a turn of its own. */
int harness_inner(struct harness *h, unsigned int kind, struct av_bytes data);
/* Any items in one turn: AV_OK or the turn's status. */
int harness_run(struct harness *h, struct av_item *items, size_t count);
/* Make keys ahead, destroy those that are doomed. */
void harness_upkeep(struct harness *h);

uint64_t harness_head(struct harness *h);
/* The event at a sequence; NULL when there is none. */
Avvik__V1__Event *harness_at_sequence(struct harness *h, uint64_t sequence);
/* The last, or how many after `after`, of a body number (0: of any). NULL when there is none. */
Avvik__V1__Event *harness_last(struct harness *h, unsigned int number);
size_t harness_count(struct harness *h, unsigned int number, uint64_t after);
/* Read records: end it before the next turn. */
struct av_txn *harness_read(struct harness *h);
/* The hash of everything in every table: the same before and after a refusal. */
void harness_fingerprint(struct harness *h, unsigned char ret_hash[32]);
/* Replays the journal into an empty store and compares; chain and seals are checked too. Fails the test with
 * what differs. */
void harness_check_replay(struct harness *h);

#endif
