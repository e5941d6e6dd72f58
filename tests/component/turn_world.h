/* turn_world.h - one ground for the tests of turns: the toy daemon, who sends, and a report. */
#ifndef AVVIK_TESTS_TURN_WORLD_H
#define AVVIK_TESTS_TURN_WORLD_H

#include "harness.h"
#include "toy.h"

#define STATUS(name) AVVIK__V1__REPLY_STATUS__REPLY_STATUS_##name
#define START "2026-04-07 09:00"

extern const struct av_principal publisher, other_publisher, administrator, reader;

int world_open(void **state); /* cmocka: *state is a struct harness of the toy daemon */
int world_close(void **state);

/* A FileReport in h->arena. */
Avvik__V1__FileReport *world_report(struct harness *h, const char *unit, const char *description);
/* Filed by the publisher. */
Avvik__V1__Reply *world_file(struct harness *h, const char *reference, const char *unit);
/* The command's packed frame, for batches. */
struct av_bytes world_wire(struct harness *h, const char *reference, const char *unit);
/* A command item of the publisher. */
struct av_item world_item(struct harness *h, const char *reference, const char *unit);
Avvik__V1__Reply *world_reply(struct harness *h, const struct av_item *item);
/* An event ReportFiled of the toy's feed, for a case. */
Avvik__V1__Event *world_event(struct harness *h, const char *unit, const struct av_id *case_id);
Avvik__V1__Event *world_directory_event(struct harness *h);
struct av_id world_case(unsigned char number);

uint64_t world_filed(struct harness *h, const char *unit);
uint64_t world_placed(struct harness *h, const struct av_id *case_id);
Avvik__V1__QuarantineFound *world_quarantine(struct harness *h);
Avvik__V1__Reply *world_resolve(struct harness *h, const char *reference, uint64_t sequence, bool retry);
Avvik__V1__Reply *world_resolve_feed(struct harness *h, const char *reference, Avvik__V1__FeedAction action);

#endif
