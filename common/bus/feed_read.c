/* feed_read.c - one batch of a feed, read from the journal by its wire bytes: what a reader may not see is
 * passed over unopened, and events are copied once, when the batch is packed. */
#include "bus/feed_read.h"
#include "base/arena.h"
#include "seal/crypto.h"
#include "wire/message.h"

#define ITEM_EXTRA 32 /* bytes around an event in a batch, at most */

static bool read_varint(const unsigned char **at, const unsigned char *end, uint64_t *ret_value)
{
	uint64_t value = 0;
	for (unsigned int shift = 0; shift < 64 && *at < end; shift += 7) {
		unsigned char byte = *(*at)++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

unsigned int av_event_number(struct av_bytes packed)
{
	const unsigned char *at = packed.data, *end = at + packed.size;
	unsigned int number = 0;
	while (at < end) {
		uint64_t tag, size = 0;
		if (!read_varint(&at, end, &tag))
			return 0;
		unsigned int type = tag & 7;
		if ((type == 0 || type == 2) && !read_varint(&at, end, &size))
			return 0;
		if (type == 0)
			size = 0;
		else if (type == 1 || type == 5)
			size = type == 1 ? 8 : 4;
		else if (type != 2)
			return 0;
		if (size > (size_t)(end - at))
			return 0;
		at += size;
		/* The envelope's own fields end at 9; of several bodies the last one counts, as when
		 * unpacking. */
		if (type == 2 && tag >> 3 >= 20)
			number = tag >> 3 <= UINT32_MAX ? (unsigned int)(tag >> 3) : 0;
	}
	return number;
}

static bool visible(const struct feed_view *view, unsigned int number)
{
	return number < FEED_NUMBERS_MAX && (view->numbers[number / 8] & 1u << number % 8);
}

void feed_view_make(const struct av_feed_server_options *options, const struct av_principal *principal,
	struct feed_view *ret_view)
{
	const ProtobufCMessageDescriptor *type = &avvik__v1__event__descriptor;
	unsigned char text[FEED_NUMBERS_MAX * 4 + 1];
	size_t size = 0;
	struct feed_view view = {.contacts = options->open_parts && (principal->rights & AV_MAY_CONTACTS)};
	for (unsigned int i = 0; i < type->n_fields; i++) {
		unsigned int number = type->fields[i].id;
		if (!(type->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) || number >= FEED_NUMBERS_MAX ||
			!options->may_see(options->context, principal, number))
			continue;
		view.numbers[number / 8] |= (unsigned char)(1u << number % 8);
		av_put_u32(text + size, number);
		size += 4;
	}
	text[size++] = view.contacts;
	av_hash(av_bytes(text, size), view.hash);
	*ret_view = view;
}

/* Opens what the reader may have of the event's addresses. */
static int open_parts(const struct av_feed_server_options *options, struct av_txn *txn, struct av_bytes event,
	struct av_arena *arena, Avvik__V1__FeedItem *item)
{
	ProtobufCMessage *message;
	int status = av_message_load(&avvik__v1__event__descriptor, event, arena, &message);
	if (status != AV_OK)
		return status;
	return options->open_parts(options->context, txn, (const Avvik__V1__Event *)message, arena, item);
}

static size_t item_bytes(const Avvik__V1__FeedItem *item)
{
	size_t bytes = item->event.len + ITEM_EXTRA;
	for (size_t i = 0; i < item->n_parts; i++)
		bytes += item->parts[i]->body.len + ITEM_EXTRA;
	return bytes;
}

int feed_read(const struct av_feed_server_options *options, struct av_txn *txn,
	const struct feed_credit *credit, const struct feed_view *view, struct av_arena *arena,
	Avvik__V1__FeedBatch *batch, struct av_position *reached)
{
	unsigned char from[8];
	size_t bytes = 0, scanned = 0;
	int status = AV_OK;
	size_t room = AV_MIN(credit->max_events, (uint32_t)AV_FEED_EVENTS_MAX);
	batch->items = av_arena_alloc(arena, room * sizeof(*batch->items));
	if (!batch->items)
		return AV_MEMORY;
	av_put_u64(from, credit->after.sequence + 1);
	struct av_iter it = av_iter(txn, AV_TABLE_JOURNAL, av_bytes(NULL, 0), av_bytes(from, sizeof(from)));
	while (scanned++ < AV_FEED_SCAN_MAX && av_iter_next(&it)) {
		if (it.key.size == AV_JOURNAL_SEAL_KEY)
			continue;
		if (it.key.size != 8 || it.value.size < AV_CHAIN_SIZE) {
			status = AV_DAMAGED;
			break;
		}
		struct av_bytes event = av_bytes(
			(const unsigned char *)it.value.data + AV_CHAIN_SIZE, it.value.size - AV_CHAIN_SIZE);
		uint64_t sequence = av_get_u64(it.key.data);
		if (visible(view, av_event_number(event))) {
			if (batch->n_items == room)
				break;
			Avvik__V1__FeedItem *item = av_arena_alloc(arena, sizeof(*item));
			if (!item) {
				status = AV_MEMORY;
				break;
			}
			avvik__v1__feed_item__init(item);
			item->sequence = sequence;
			/* Points into the store's map until it is packed. */
			item->event = (ProtobufCBinaryData){event.size, (uint8_t *)(uintptr_t)event.data};
			if (view->contacts && (status = open_parts(options, txn, event, arena, item)) < 0)
				break;
			bytes += item_bytes(item);
			if (batch->n_items > 0 && bytes > credit->max_bytes)
				break;
			batch->items[batch->n_items++] = item;
		}
		reached->sequence = sequence;
		memcpy(reached->hash, it.value.data, AV_CHAIN_SIZE);
	}
	av_iter_end(&it);
	/* What was read before a failure is a batch of its own; the next one meets it again. */
	return batch->n_items > 0 ? AV_OK : AV_MIN(status, 0);
}
