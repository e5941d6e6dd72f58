/* daemon_kinds.c - what kinds of steps there are for a daemon, and how new ones are made. With FUZZ_RECORDS
 * it is the stored records that are changed. */
#include <avvik/v1/command.pb-c.h>
#include <avvik/v1/envelope.pb-c.h>
#include <avvik/v1/feed.pb-c.h>

#include "daemon.h"
#include "mutate.h"

#ifdef FUZZ_RECORDS
#define WEIGHT(turn, records) (records)
#else
#define WEIGHT(turn, records) (turn)
#endif

static struct av_bytes make_command(struct av_arena *arena, struct av_random *random)
{
	static const unsigned int common[] = {AVVIK__V1__COMMAND__BODY_GET_STATUS,
		AVVIK__V1__COMMAND__BODY_GET_EVENTS, AVVIK__V1__COMMAND__BODY_LIST_QUARANTINE,
		AVVIK__V1__COMMAND__BODY_RESOLVE_QUARANTINE, AVVIK__V1__COMMAND__BODY_RESOLVE_FEED};
	const struct av_service *service = fuzz_daemon.service;
	size_t at = av_random_below(random, service->command_count + AV_COUNT(common));
	unsigned int number = at < service->command_count ? service->commands[at].number
							  : common[at - service->command_count];
	return av_message_pack(mutate_filled(&avvik__v1__command__descriptor, number, arena, random), arena);
}

static struct av_bytes make_batch(struct av_arena *arena, struct av_random *random)
{
	const struct av_service *service = fuzz_daemon.service;
	Avvik__V1__FeedBatch *batch =
		(Avvik__V1__FeedBatch *)mutate_filled(&avvik__v1__feed_batch__descriptor, 0, arena, random);
	for (size_t i = 0; i < batch->n_items; i++) {
		unsigned int number =
			service->event_count
				? service->events[av_random_below(random, service->event_count)].number
				: 0;
		struct av_bytes event = av_message_pack(
			mutate_filled(&avvik__v1__event__descriptor, number, arena, random), arena);
		batch->items[i]->event = (ProtobufCBinaryData){event.size, (uint8_t *)(uintptr_t)event.data};
		batch->items[i]->sequence = i + 1;
	}
	return av_message_pack(&batch->base, arena);
}

static struct av_bytes make_due(struct av_arena *arena, struct av_random *random)
{
	static const unsigned char lengths[][3] = {
		{1, 0, 0}, {60, 0, 0}, {0xa0, 5, 0}, {0x60, 0x27, 0}, {0, 0, 2}};
	const unsigned char *length = lengths[av_random_below(random, AV_COUNT(lengths))];
	return av_bytes(av_arena_copy(arena, length, 3), 3);
}

/* table, number, change, offset, bytes */
static struct av_bytes make_record(struct av_arena *arena, struct av_random *random)
{
	size_t size = 6 + av_random_below(random, 10);
	unsigned char *bytes = av_arena_alloc(arena, size);
	av_random_fill(random, bytes, size);
	return av_bytes(bytes, size);
}

const struct step_kind step_kinds[] = {
	/* clang-format off */
	[STEP_COMMAND] = {&avvik__v1__command__descriptor,    WEIGHT(12, 2), make_command},
	[STEP_FEED]    = {&avvik__v1__feed_batch__descriptor, WEIGHT(8, 1),  make_batch},
	[STEP_DUE]     = {NULL,                               WEIGHT(3, 1),  make_due},
	[STEP_RESTART] = {NULL,                               WEIGHT(1, 0),  NULL},
	[STEP_UPKEEP]  = {NULL,                               WEIGHT(1, 0),  NULL},
	[STEP_ENDED]   = {NULL,                               WEIGHT(2, 0),  NULL},
	[STEP_REFUSED] = {NULL,                               WEIGHT(2, 0),  NULL},
	[STEP_LOOK]    = {NULL,                               WEIGHT(0, 0),  NULL},
	[STEP_APPLY]   = {&avvik__v1__event__descriptor,      WEIGHT(0, 8),  NULL},
	[STEP_RECORD]  = {NULL,                               WEIGHT(0, 12), make_record},
}; /* clang-format on */
const size_t step_kind_count =
#ifdef FUZZ_RECORDS
	STEP_COUNT;
#else
	STEP_APPLY; /* nothing here changes records behind the daemon's back */
#endif
