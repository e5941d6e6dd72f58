/* principals.c - the table of who may talk to this instance: looking up and comparing. principals_load.c
 * makes it.
 *
 * Everything lives in one arena and is never changed, so that a table may be shared by threads; only the
 * count of references is atomic. Keys are an array in order, looked up by bisection for every message. */
#include "bus/principals.h"
#include <stdlib.h>
#include "bus/principals_internal.h"

static const char *const right_texts[] = {
#define X(name, text, what) [AV_RIGHT_BIT_##name] = (text),
	AV_RIGHT_LIST(X)
#undef X
};

const char *av_right_text(enum av_right right)
{
	for (size_t bit = 0; bit < AV_RIGHT_COUNT; bit++)
		if ((unsigned int)right == 1u << bit)
			return right_texts[bit];
	return "";
}

/* Life */

struct av_principals *av_principals_ref(struct av_principals *table)
{
	if (table)
		atomic_fetch_add(&table->references, 1);
	return table;
}

void av_principals_unref(struct av_principals **table)
{
	struct av_principals *leaving = *table;
	*table = NULL;
	if (!leaving || atomic_fetch_sub(&leaving->references, 1) != 1)
		return;
	av_arena_destroy(&leaving->arena);
	free(leaving);
}

/* Looking up */

static const struct key_entry *find_key(const struct av_principals *table, const char *key)
{
	struct key_entry wanted = {.key = key};
	if (table->key_count == 0)
		return NULL;
	return bsearch(&wanted, table->keys, table->key_count, sizeof(wanted), key_entry_order);
}

static bool holds(const struct key_entry *entry, int64_t now_ms)
{
	return entry && entry->from_ms <= now_ms && now_ms < entry->until_ms;
}

const struct av_principal *av_principals_by_key(
	const struct av_principals *table, const char *key, int64_t now_ms)
{
	const struct key_entry *entry = find_key(table, key);
	return holds(entry, now_ms) ? &table->list[entry->index] : NULL;
}

const struct av_principal *av_principals_by_name(const struct av_principals *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->list[i].name, name) == 0)
			return &table->list[i];
	return NULL;
}

size_t av_principals_count(const struct av_principals *table)
{
	return table->count;
}

const struct av_principal *av_principals_at(const struct av_principals *table, size_t index)
{
	return index < table->count ? &table->list[index] : NULL;
}

const unsigned char *av_principals_hash(const struct av_principals *table)
{
	return table->hash;
}

static bool listed(const char *const *list, const char *text)
{
	for (; list && *list; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return !list;
}

bool av_principal_may_unit(const struct av_principal *principal, const char *unit)
{
	return principal && listed(principal->units, unit);
}

bool av_principal_may_role(const struct av_principal *principal, const char *role)
{
	return principal && listed(principal->roles, role);
}

/* Comparing */

/* Is everything in `inner` in `outer` too? NULL is all. */
static bool covers(const char *const *outer, const char *const *inner)
{
	if (!outer || !inner)
		return !outer;
	for (; *inner; inner++)
		if (!listed(outer, *inner))
			return false;
	return true;
}

bool av_principals_narrowed(const struct av_principals *before, const struct av_principals *after,
	enum av_right right, int64_t now_ms)
{
	for (size_t i = 0; before && i < before->key_count; i++) {
		const struct key_entry *key = &before->keys[i];
		const struct av_principal *was = &before->list[key->index];
		if (!holds(key, now_ms) || !(was->rights & right))
			continue;
		const struct av_principal *is = after ? av_principals_by_key(after, key->key, now_ms) : NULL;
		if (!is || !(is->rights & right) || !covers(is->units, was->units) ||
			!covers(is->roles, was->roles) || strcmp(is->kind, was->kind) != 0)
			return true;
	}
	return false;
}

int64_t av_principals_expiry(const struct av_principals *table, enum av_right right, int64_t now_ms)
{
	int64_t first = INT64_MAX;
	for (size_t i = 0; i < table->key_count; i++)
		if (holds(&table->keys[i], now_ms) && (table->list[table->keys[i].index].rights & right))
			first = AV_MIN(first, table->keys[i].until_ms);
	return first;
}

static bool same_keys(
	const struct av_principals *a, size_t index_a, const struct av_principals *b, size_t index_b)
{
	size_t i = 0, k = 0;
	for (;; i++, k++) {
		while (i < a->key_count && a->keys[i].index != index_a)
			i++;
		while (k < b->key_count && b->keys[k].index != index_b)
			k++;
		if (i == a->key_count || k == b->key_count)
			return i == a->key_count && k == b->key_count;
		const struct key_entry *x = &a->keys[i], *y = &b->keys[k];
		if (strcmp(x->key, y->key) != 0 || x->from_ms != y->from_ms || x->until_ms != y->until_ms)
			return false;
	}
}

static bool same(const struct av_principals *a, const struct av_principal *x, const struct av_principals *b,
	const struct av_principal *y)
{
	return x->rights == y->rights && strcmp(x->kind, y->kind) == 0 && covers(x->units, y->units) &&
	       covers(y->units, x->units) && covers(x->roles, y->roles) && covers(y->roles, x->roles) &&
	       same_keys(a, (size_t)(x - a->list), b, (size_t)(y - b->list));
}

void av_principals_compare(const struct av_principals *before, const struct av_principals *after,
	struct av_arena *arena, struct av_principals_change *ret_change)
{
	size_t old_count = before ? before->count : 0;
	struct av_principals_change change = {
		.added = av_arena_alloc(arena, (after->count + 1) * sizeof(char *)),
		.changed = av_arena_alloc(arena, (after->count + 1) * sizeof(char *)),
		.removed = av_arena_alloc(arena, (old_count + 1) * sizeof(char *)),
	};
	*ret_change = change;
	if (!change.added || !change.changed || !change.removed)
		return;
	for (size_t i = 0; i < after->count; i++) {
		const struct av_principal *is = &after->list[i];
		const struct av_principal *was = before ? av_principals_by_name(before, is->name) : NULL;
		if (!was)
			change.added[change.added_count++] = av_arena_strdup(arena, is->name);
		else if (!same(before, was, after, is))
			change.changed[change.changed_count++] = av_arena_strdup(arena, is->name);
	}
	for (size_t i = 0; i < old_count; i++)
		if (!av_principals_by_name(after, before->list[i].name))
			change.removed[change.removed_count++] = av_arena_strdup(arena, before->list[i].name);
	*ret_change = change;
}
