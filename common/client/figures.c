/* figures.c - a copy of one unit's figures, by the packed FigureKey (protobuf-c packs fields in the order of
 * their numbers and leaves zeroes out, so equal keys have equal bytes). */
#include "figures.h"
#include <stdlib.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include "base/macros.h"
#include "base/status.h"

#define KEY_MAX 512

struct figure {
	int64_t value;
	UT_hash_handle hh;
	unsigned int size;
	unsigned char key[];
};

/* 0: no key, or too long. */
static size_t pack_key(const Avvik__V1__FigureKey *key, unsigned char packed[KEY_MAX])
{
	if (!key || avvik__v1__figure_key__get_packed_size(key) > KEY_MAX)
		return 0;
	return avvik__v1__figure_key__pack(key, packed);
}

static struct figure *find(const struct figures *figures, const unsigned char *key, size_t size)
{
	struct figure *figure;
	HASH_FIND(hh, figures->table, key, (unsigned int)size, figure);
	return figure;
}

int figures_set(struct figures *figures, const Avvik__V1__FigureKey *key, int64_t value)
{
	unsigned char packed[KEY_MAX];
	size_t size = pack_key(key, packed);
	if (size == 0)
		return AV_INVALID;
	struct figure *figure = find(figures, packed, size);
	if (!figure) {
		figure = calloc(1, sizeof(*figure) + size);
		if (!figure)
			return AV_MEMORY;
		memcpy(figure->key, packed, size);
		figure->size = (unsigned int)size;
		HASH_ADD_KEYPTR(hh, figures->table, figure->key, figure->size, figure);
		if (!figure->hh.tbl) {
			free(figure);
			return AV_MEMORY;
		}
	}
	figure->value = value;
	return AV_OK;
}

int64_t figures_value(const struct figures *figures, const Avvik__V1__FigureKey *key)
{
	unsigned char packed[KEY_MAX];
	size_t size = pack_key(key, packed);
	const struct figure *figure = size > 0 ? find(figures, packed, size) : NULL;
	return figure ? figure->value : 0;
}

void figures_clear(struct figures *figures)
{
	struct figure *figure, *next;
	HASH_ITER (hh, figures->table, figure, next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed was taken out */
		HASH_DEL(figures->table, figure);
		free(figure);
	}
}

/* The value before each change, taken back from the last one. */
static void undo(struct figures *figures, const Avvik__V1__SummaryUpdate *update, size_t count)
{
	while (count-- > 0) {
		const Avvik__V1__FigureChange *change = update->changes[count];
		figures_set(
			figures, change->key, change->value - change->change); /* it is there: cannot fail */
	}
}

int figures_apply(struct figures *figures, const Avvik__V1__SummaryUpdate *update)
{
	for (size_t i = 0; i < update->n_changes; i++) {
		const Avvik__V1__FigureChange *change = update->changes[i];
		int64_t sum;
		int status = AV_CONFLICT;
		if (!__builtin_add_overflow(figures_value(figures, change->key), change->change, &sum) &&
			sum == change->value)
			status = figures_set(figures, change->key, change->value);
		if (status != AV_OK) {
			undo(figures, update, i);
			return status;
		}
	}
	return AV_OK;
}

/* Messages are made with malloc, as protobuf-c's free_unpacked frees them. */
static int add_change(
	Avvik__V1__SummaryUpdate *update, const struct figure *figure, int64_t before, int64_t after)
{
	Avvik__V1__FigureChange *change = malloc(sizeof(*change));
	if (!change)
		return AV_MEMORY;
	avvik__v1__figure_change__init(change);
	change->key = avvik__v1__figure_key__unpack(NULL, figure->size, figure->key);
	if (!change->key) {
		free(change);
		return AV_MEMORY;
	}
	change->change = (int64_t)((uint64_t)after - (uint64_t)before);
	change->value = after;
	update->changes[update->n_changes++] = change;
	return AV_OK;
}

int figures_difference(
	const struct figures *before, const struct figures *after, Avvik__V1__SummaryUpdate **ret_update)
{
	size_t most = HASH_COUNT(before->table) + HASH_COUNT(after->table);
	Avvik__V1__SummaryUpdate *update = malloc(sizeof(*update));
	struct figure *figure, *next;
	int status = AV_OK;
	if (!update)
		return AV_MEMORY;
	avvik__v1__summary_update__init(update);
	update->changes = malloc((most + 1) * sizeof(*update->changes));
	if (!update->changes)
		status = AV_MEMORY;
	HASH_ITER (hh, after->table, figure, next) {
		const struct figure *old = find(before, figure->key, figure->size);
		int64_t was = old ? old->value : 0;
		if (status == AV_OK && was != figure->value)
			status = add_change(update, figure, was, figure->value);
	}
	HASH_ITER (hh, before->table, figure, next)
		if (status == AV_OK && figure->value != 0 && !find(after, figure->key, figure->size))
			status = add_change(update, figure, figure->value, 0);
	if (status != AV_OK) {
		avvik__v1__summary_update__free_unpacked(update, NULL);
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it was freed */
		return status;
	}
	*ret_update = update;
	return AV_OK;
}

int figures_stamp(Avvik__V1__SummaryUpdate **update, const char *unit, const unsigned char epoch[16],
	uint64_t sequence, uint64_t previous)
{
	Avvik__V1__SummaryUpdate *to = *update;
	to->unit = strdup(unit);
	to->epoch_id.data = malloc(16);
	if (!to->unit || !to->epoch_id.data) {
		avvik__v1__summary_update__free_unpacked(to, NULL);
		*update = NULL;
		return AV_MEMORY;
	}
	memcpy(to->epoch_id.data, epoch, 16);
	to->epoch_id.len = 16;
	to->sequence = sequence;
	to->previous_sequence = previous;
	return AV_OK;
}
