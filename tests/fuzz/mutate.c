/* mutate.c - messages changed in their fields
 *
 * All places of a message tree, absent ones too, are listed; one is chosen and set from a message that was
 * filled by the rules, cleared, tweaked, or (a list) shortened, doubled, turned round. */
#include "mutate.h"

#include <stdlib.h>
#include <string.h>

#include "libfuzzer.h"
#include "wire/shape.h"
#include "wire_samples.h"

#define POOL_TEXTS 512
#define POOL_IDS 256
#define TEXT_MAX 64
#define PLACES_MAX 8192
#define ID_SIZE 16

static struct {
	char texts[POOL_TEXTS][TEXT_MAX];
	unsigned char ids[POOL_IDS][ID_SIZE];
	size_t text_count, id_count;
} pool;

/* One field of one message of the tree. */
struct place {
	ProtobufCMessage *message;
	const struct av_field_shape *field;
};

struct places {
	struct place list[PLACES_MAX];
	size_t count;
};

/* --- reaching --- */

static char *at_of(ProtobufCMessage *message, const struct av_field_shape *f)
{
	return (char *)message + f->field->offset;
}

static uint32_t *case_of(ProtobufCMessage *message, const struct av_field_shape *f)
{
	return (uint32_t *)(void *)((char *)message + f->field->quantifier_offset);
}

static size_t *count_of(ProtobufCMessage *message, const struct av_field_shape *f)
{
	return (size_t *)(void *)((char *)message + f->field->quantifier_offset);
}

/* How many values a field has, and where the first one is. */
static size_t values_of(ProtobufCMessage *message, const struct av_field_shape *f, char **ret_first)
{
	*ret_first = at_of(message, f);
	if (!f->repeated)
		return av_field_present(message, f);
	size_t count = *count_of(message, f);
	*ret_first = count ? *(char **)(void *)*ret_first : NULL;
	return count;
}

static void places_find(ProtobufCMessage *message, struct places *places)
{
	const struct av_shape *shape = av_shape_of(message->descriptor);
	for (unsigned int i = 0; shape && i < message->descriptor->n_fields; i++) {
		const struct av_field_shape *f = &shape->fields[i];
		char *first;
		/* Of a oneof only the member that is set, or the first one. */
		if (f->oneof && *case_of(message, f) != f->field->id && (*case_of(message, f) || i % 3))
			continue;
		if (places->count < PLACES_MAX)
			places->list[places->count++] = (struct place){message, f};
		size_t count = values_of(message, f, &first);
		for (size_t n = 0; f->kind == AV_KIND_MESSAGE && n < count; n++)
			places_find(((ProtobufCMessage **)(void *)first)[n], places);
	}
}

/* --- the pool --- */

void mutate_remember_id(struct av_bytes id)
{
	if (id.size != ID_SIZE)
		return;
	for (size_t i = 0; i < AV_MIN(pool.id_count, (size_t)POOL_IDS); i++)
		if (memcmp(pool.ids[i], id.data, ID_SIZE) == 0)
			return;
	memcpy(pool.ids[pool.id_count++ % POOL_IDS], id.data, ID_SIZE);
}

static void remember_text(const char *text)
{
	if (!text || !text[0] || strlen(text) >= TEXT_MAX)
		return;
	for (size_t i = 0; i < AV_MIN(pool.text_count, (size_t)POOL_TEXTS); i++)
		if (strcmp(pool.texts[i], text) == 0)
			return;
	memcpy(pool.texts[pool.text_count++ % POOL_TEXTS], text, strlen(text) + 1);
}

void mutate_remember(const ProtobufCMessage *message)
{
	struct places *places = calloc(1, sizeof *places);
	places_find((ProtobufCMessage *)(uintptr_t)message, places);
	for (size_t i = 0; i < places->count; i++) {
		const struct av_field_shape *f = places->list[i].field;
		char *first;
		size_t count = values_of(places->list[i].message, f, &first);
		for (size_t n = 0; n < count; n++) {
			if (f->kind == AV_KIND_TEXT)
				remember_text(((char **)(void *)first)[n]);
			if (f->kind == AV_KIND_BYTES) {
				const ProtobufCBinaryData *data = (ProtobufCBinaryData *)(void *)first + n;
				mutate_remember_id(av_bytes(data->data, data->len));
			}
		}
	}
	free(places);
}

/* --- values --- */

struct av_bytes mutate_bytes(struct av_bytes bytes, size_t more, struct av_arena *arena)
{
	unsigned char *copy = av_arena_alloc(arena, bytes.size + more + 1);
	if (bytes.size)
		memcpy(copy, bytes.data, bytes.size);
	return av_bytes(copy, LLVMFuzzerMutate(copy, bytes.size, bytes.size + more));
}

/* Around the bounds that texts, keys and buffers have. */
static size_t odd_length(struct av_random *random)
{
	static const size_t lengths[] = {
		1, 39, 41, 63, 65, 120, 199, 200, 256, 400, 401, 511, 512, 600, 1200, 5000};
	return lengths[av_random_below(random, AV_COUNT(lengths))];
}

static void tweak_text(char **text, struct av_arena *arena, struct av_random *random)
{
	const char *now = *text ? *text : "";
	if (pool.text_count && av_random_below(random, 3)) {
		*text = av_arena_strdup(arena,
			pool.texts[av_random_below(random, AV_MIN(pool.text_count, (size_t)POOL_TEXTS))]);
	} else if (av_random_below(random, 3) == 0) {
		size_t size = odd_length(random);
		*text = av_arena_zalloc(arena, size + 1);
		memset(*text, 'x', size);
	} else {
		struct av_bytes changed = mutate_bytes(av_bytes_of(now), 8, arena);
		char *copy = av_arena_zalloc(arena, changed.size + 1);
		memcpy(copy, changed.data, changed.size);
		copy[strlen(copy)] = '\0';
		*text = copy;
	}
}

static ProtobufCBinaryData binary(struct av_bytes bytes)
{
	return (ProtobufCBinaryData){bytes.size, (uint8_t *)(uintptr_t)bytes.data};
}

static void tweak_bytes(const struct av_field_shape *f, ProtobufCBinaryData *data, struct av_arena *arena,
	struct av_random *random)
{
	struct av_bytes now = av_bytes(data->data, data->len);
	if (strcmp(f->field->name, "event") == 0 || f->form == AV_FORM_EVENT)
		*data = binary(mutate_packed(&avvik__v1__event__descriptor, now, arena, random));
	else if ((f->flags & AV_ID) && pool.id_count && av_random_below(random, 8))
		*data = (ProtobufCBinaryData){
			ID_SIZE, pool.ids[av_random_below(random, AV_MIN(pool.id_count, (size_t)POOL_IDS))]};
	else if (av_random_below(random, 8) == 0)
		data->len = 0;
	else
		*data = binary(mutate_bytes(now, f->flags & (AV_ID | AV_HASH) ? 1 : 16, arena));
}

static uint64_t tweaked(uint64_t value, struct av_random *random)
{
	static const uint64_t odd[] = {0, 1, 2, 10, 127, 255, 65535, INT32_MAX, UINT32_MAX, INT64_MAX,
		UINT64_MAX, (uint64_t)INT64_MIN, AV_LAST_DAY, AV_LAST_INSTANT, AV_LAST_INSTANT + 1};
	switch (av_random_below(random, 5)) {
	case 0:
		return value + 1;
	case 1:
		return value - 1;
	case 2:
		return value ^ UINT64_C(1) << av_random_below(random, 64);
	case 3:
		return odd[av_random_below(random, AV_COUNT(odd))];
	default:
		return value + (av_random_below(random, 400) - 200) * 3600000;
	}
}

static void tweak(const struct av_field_shape *f, char *at, struct av_arena *arena, struct av_random *random)
{
	void *to = at;
	switch ((enum av_kind)f->kind) {
	case AV_KIND_TEXT:
		tweak_text(to, arena, random);
		break;
	case AV_KIND_BYTES:
		tweak_bytes(f, to, arena, random);
		break;
	case AV_KIND_BOOL:
		*(protobuf_c_boolean *)to = !*(protobuf_c_boolean *)to;
		break;
	case AV_KIND_ENUM:
		*(int *)to = (int)av_random_below(random, f->choices->type->n_values + 2);
		break;
	case AV_KIND_INT32:
	case AV_KIND_UINT32:
		*(uint32_t *)to = (uint32_t)tweaked(*(uint32_t *)to, random);
		break;
	case AV_KIND_INT64:
	case AV_KIND_UINT64:
		*(uint64_t *)to = tweaked(*(uint64_t *)to, random);
		break;
	case AV_KIND_DOUBLE:
		*(double *)to = (double)(int64_t)tweaked((uint64_t)random->state[0], random) / 3;
		break;
	case AV_KIND_MESSAGE:
		break; /* its own fields are places of their own */
	}
}

/* --- fields --- */

/* The field as a filled message of the same type has it. */
static void take(struct place *place, struct av_arena *arena, struct av_random *random)
{
	const struct av_field_shape *f = place->field;
	const ProtobufCMessageDescriptor *type = place->message->descriptor;
	unsigned int turn = 0;
	if (f->oneof) {
		turn = (unsigned int)av_random_below(random, sample_turns(type));
		unsigned int member = 0;
		for (unsigned int i = 0; i < type->n_fields; i++) {
			if (!(type->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) || member++ != turn)
				continue;
			f = &av_shape_of(type)->fields[i];
		}
	}
	ProtobufCMessage *donor = sample_filled(type, arena, random, turn);
	size_t size = f->repeated ? sizeof(void *) : av_kind_size(f->kind);
	memcpy(at_of(place->message, f), at_of(donor, f), size);
	if (f->oneof)
		*case_of(place->message, f) = f->field->id;
	else if (f->repeated)
		*count_of(place->message, f) = *count_of(donor, f);
}

static void clear(struct place *place)
{
	const struct av_field_shape *f = place->field;
	char *at = at_of(place->message, f);
	if (f->repeated) {
		*count_of(place->message, f) = 0;
		*(void **)(void *)at = NULL;
		return;
	}
	if (f->kind == AV_KIND_TEXT)
		*(char **)(void *)at = (char *)(uintptr_t) "";
	else
		memset(at, 0, av_kind_size(f->kind));
	if (f->oneof)
		*case_of(place->message, f) = 0;
}

static void turn_list(struct place *place, struct av_arena *arena, struct av_random *random)
{
	const struct av_field_shape *f = place->field;
	size_t size = av_kind_size(f->kind), count = *count_of(place->message, f);
	char **list = (char **)(void *)at_of(place->message, f);
	if (count == 0) {
		take(place, arena, random);
		return;
	}
	size_t at = av_random_below(random, count), times = 1 + av_random_below(random, 2);
	char *items = av_arena_alloc(arena, (count + 64) * size);
	memcpy(items, *list, count * size);
	switch (av_random_below(random, 4)) {
	case 0:
		memmove(items + at * size, items + (at + 1) * size, (count - at - 1) * size);
		count--;
		break;
	case 1:
		for (size_t n = 0; n < times; n++)
			memcpy(items + count++ * size, items + at * size, size);
		break;
	case 2: {
		char held[64];
		size_t other = av_random_below(random, count);
		memcpy(held, items + at * size, size);
		memcpy(items + at * size, items + other * size, size);
		memcpy(items + other * size, held, size);
		break;
	}
	default: {
		struct place one = {sample_filled(place->message->descriptor, arena, random, 0), f};
		if (*count_of(one.message, f))
			memcpy(items + count++ * size, *(char **)(void *)at_of(one.message, f), size);
	}
	}
	*list = items;
	*count_of(place->message, f) = count;
}

void mutate_message(ProtobufCMessage *message, struct av_arena *arena, struct av_random *random)
{
	struct places *places = av_arena_alloc(arena, sizeof *places);
	places->count = 0;
	places_find(message, places);
	if (places->count == 0)
		return;
	struct place place = places->list[av_random_below(random, places->count)];
	char *first;
	size_t count = values_of(place.message, place.field, &first);
	uint64_t way = av_random_below(random, 16);
	if (way == 0)
		clear(&place);
	else if (way <= 3 || count == 0)
		take(&place, arena, random);
	else if (place.field->repeated && (way <= 8 || place.field->kind == AV_KIND_MESSAGE))
		turn_list(&place, arena, random);
	else
		tweak(place.field, first + av_random_below(random, count) * av_kind_size(place.field->kind),
			arena, random);
}

/* --- whole messages --- */

/* Some texts and ids of it become known ones. */
static void season(ProtobufCMessage *message, struct av_arena *arena, struct av_random *random)
{
	struct places *places = av_arena_alloc(arena, sizeof *places);
	places->count = 0;
	places_find(message, places);
	for (size_t i = 0; i < places->count; i++) {
		struct place *place = &places->list[i];
		char *first;
		size_t count = values_of(place->message, place->field, &first);
		if (place->field->kind > AV_KIND_BYTES || count == 0 || av_random_below(random, 3) == 0)
			continue;
		if (place->field->kind == AV_KIND_TEXT)
			tweak_text((char **)(void *)first, arena, random);
		else if (place->field->flags & AV_ID)
			tweak_bytes(place->field, (ProtobufCBinaryData *)(void *)first, arena, random);
	}
}

ProtobufCMessage *mutate_filled(const ProtobufCMessageDescriptor *type, unsigned int body,
	struct av_arena *arena, struct av_random *random)
{
	unsigned int turn = 0, member = 0;
	for (unsigned int i = 0; i < type->n_fields; i++) {
		if (!(type->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			continue;
		if (type->fields[i].id == body)
			turn = member;
		member++;
	}
	ProtobufCMessage *message =
		sample_filled(type, arena, random, body ? turn : (unsigned int)av_random_below(random, 97));
	season(message, arena, random);
	return message;
}

struct av_bytes mutate_made(
	const ProtobufCMessageDescriptor *type, struct av_arena *arena, struct av_random *random)
{
	return av_message_pack(mutate_filled(type, 0, arena, random), arena);
}

struct av_bytes mutate_packed(const ProtobufCMessageDescriptor *type, struct av_bytes packed,
	struct av_arena *arena, struct av_random *random)
{
	ProtobufCMessage *message;
	if (av_message_load(type, packed, arena, &message) != AV_OK || av_random_below(random, 12) == 0)
		return mutate_bytes(packed, 16, arena);
	mutate_message(message, arena, random);
	return av_message_pack(message, arena);
}
