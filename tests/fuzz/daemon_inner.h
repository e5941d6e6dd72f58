/* daemon_inner.h - what the files of daemon.h share: the world, and what the input has done so far. */
#ifndef AVVIK_TESTS_FUZZ_DAEMON_INNER_H
#define AVVIK_TESTS_FUZZ_DAEMON_INNER_H

#include "daemon.h"
#include "image.h"
#include "must.h"
#include "mutate.h"

#define TEXT(text) ((char *)(uintptr_t)(text))
#define REPLY(name) AVVIK__V1__REPLY_STATUS__REPLY_STATUS_##name
#define COMMAND(name) AVVIK__V1__COMMAND__BODY_##name

struct fuzz {
	struct harness *h;
	struct image *image;
	struct harness_producer producers[HARNESS_FEEDS];
	struct av_arena *settings_arena, *arena; /* h->arena when the world was made; of the input */
	struct av_principal principals[5];
	/* Of the input: what its later steps may refer to. */
	struct av_id case_id, content_id, measure_id, deadline_id;
	Avvik__V1__Grant *grant;
	Avvik__V1__Receipt *receipt;
	uint64_t seen; /* journal entries that have been looked at */
	bool damaged, dirty, telling, looking;
	struct step look[STEPS_MAX];
	size_t look_count;
	struct av_arena *look_arena;
};
extern struct fuzz fuzz;

#define FEEDS 3
extern const char *const feed_names[FEEDS];

/* daemon.c */
void run_steps(const struct step *steps, size_t count);

/* daemon_follow.c - what a sender knows from what came before */
const struct av_principal *principal_of(const struct step *step);
/* The ids of the newest events are known to the mutator and to later steps. */
void look_at_events(void);
void note_reply(const Avvik__V1__Reply *reply);
ProtobufCBinaryData data_of(struct av_id *id);
/* The command as it is sent now. */
struct av_bytes followed(const struct step *step);

/* daemon_commands.c: joined ones go in one turn. Answers how many steps were taken. */
size_t run_commands(const struct step *steps, size_t count);

/* daemon_feeds.c */
void run_feed(const struct step *step);
/* The producer comes back from a backup and no longer holds what this daemon has seen. */
void run_refused(const struct step *step);

/* daemon_records.c */
void run_apply(const struct step *step);
void run_record(const struct step *step);
void run_look(void);

#endif
