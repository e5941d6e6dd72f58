/* daemon_kinds.c - what kinds of steps there are for a daemon, and how new ones are made. With FUZZ_RECORDS
 * it is the stored records that are changed. */
#include <avvik/v1/command.pb-c.h>
#include <avvik/v1/envelope.pb-c.h>
#include <avvik/v1/feed.pb-c.h>
#include <string.h>

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

/* One field of a message, as protobuf writes it: appended to a record it takes the place of the one before.
 */
static size_t make_field(unsigned char *at, struct av_random *random)
{
	static const size_t lengths[] = {0, 1, 15, 16, 17, 40, 41, 120, 127};
	unsigned int number = 1 + (unsigned int)av_random_below(random, 15);
	size_t size = lengths[av_random_below(random, AV_COUNT(lengths))];
	if (av_random_below(random, 2)) {
		at[0] = (unsigned char)(number << 3);
		size = 1 + av_random_below(random, 10);
		for (size_t i = 1; i <= size; i++)
			at[i] = (unsigned char)(av_random_below(random, 256) | 0x80);
		at[size] &= 0x7f;
		return size + 1;
	}
	if (av_random_below(random, 3) == 0) { /* two hundred letters and more */
		at[0] = (unsigned char)(number << 3 | 2);
		at[1] = (unsigned char)(0x80 | (200 + size) % 128);
		at[2] = (unsigned char)((200 + size) / 128);
		memset(at + 3, 'x', 200 + size);
		return 203 + size;
	}
	at[0] = (unsigned char)(number << 3 | 2);
	at[1] = (unsigned char)size;
	memset(at + 2, 'x', size);
	return size + 2;
}

/* table, number, change, offset, bytes */
static struct av_bytes make_record(struct av_arena *arena, struct av_random *random)
{
	unsigned char *bytes = av_arena_alloc(arena, 400);
	size_t size = 6 + av_random_below(random, 10);
	av_random_fill(random, bytes, 16);
	if (av_random_below(random, 2)) {
		bytes[3] = RECORD_EXTEND;
		size = 6 + make_field(bytes + 6, random);
	}
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
