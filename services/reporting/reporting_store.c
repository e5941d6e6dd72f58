/* reporting_store.c - reporting's records, and apply(), the only code that changes them.
 *
 * A fact, key 'c' 0198…: the packed CaseFact. A figure, for unit "solglantan", month 2026-04, RECEIVED lex
 * Sarah, and the levels of that unit:
 *
 *	73 6f 6c 67 6c 61 6e 74 61 6e 00 | 02 | 32 30 32 36 2d 30 34 00 | 01 02 00 | 00 (no rule)
 *		-> 00 00 00 00 00 00 00 03
 *	"solglantan" -> "solglantan\0aldreomsorg\0socialforvaltningen\0socialnamnden\0"
 *
 * Invariant: figures are the sum of what all facts contribute (figure_rules.h), told at every level of
 * `levels`. The two feeds are not ordered between them, so a case may be counted before its unit is known: at
 * the committee, with a mark "?unit". A directory that makes a marked unit known, or moves one, has all
 * figures counted anew under its tree.
 */
#include "reporting_store.h"

#include <stdio.h>
#include <string.h>
#include "figure_rules.h"
#include "wire/message.h"

const struct av_table_decl reporting_tables[4] = {{"facts", AV_PROJECTION}, {"figures", AV_PROJECTION},
	{"units", AV_PROJECTION}, {"levels", AV_PROJECTION}};

#define FACT_KEY_MAX 33
#define LEVELS_MAX 512
#define FACTS_MAX 200

static struct av_bytes fact_key(
	unsigned char key[FACT_KEY_MAX], char kind, struct av_bytes case_id, struct av_bytes id)
{
	if (case_id.size != AV_ID_SIZE || (id.size != 0 && id.size != AV_ID_SIZE))
		return av_bytes(NULL, 0);
	key[0] = (unsigned char)kind;
	memcpy(key + 1, case_id.data, AV_ID_SIZE);
	if (id.size)
		memcpy(key + 1 + AV_ID_SIZE, id.data, AV_ID_SIZE);
	return av_bytes(key, 1 + AV_ID_SIZE + id.size);
}

static int fact_load(struct av_txn *txn, char kind, struct av_bytes case_id, struct av_bytes id,
	const ProtobufCMessageDescriptor *type, struct av_arena *arena, ProtobufCMessage **ret_fact)
{
	unsigned char bytes[FACT_KEY_MAX];
	struct av_bytes key = fact_key(bytes, kind, case_id, id), value;
	if (!key.size)
		return AV_NOT_FOUND;
	int status = av_get(txn, TABLE_FACTS, key, &value);
	return status < 0 ? status : av_message_load(type, value, arena, ret_fact);
}

int case_fact_load(
	struct av_txn *txn, struct av_bytes case_id, struct av_arena *arena, Avvik__V1__CaseFact **ret_fact)
{
	return fact_load(txn, 'c', case_id, av_bytes(NULL, 0), &avvik__v1__case_fact__descriptor, arena,
		(ProtobufCMessage **)ret_fact);
}

int deadline_fact_load(struct av_txn *txn, struct av_bytes case_id, struct av_bytes deadline_id,
	struct av_arena *arena, Avvik__V1__DeadlineFact **ret_fact)
{
	return fact_load(txn, 'd', case_id, deadline_id, &avvik__v1__deadline_fact__descriptor, arena,
		(ProtobufCMessage **)ret_fact);
}

int measure_fact_load(struct av_txn *txn, struct av_bytes case_id, struct av_bytes measure_id,
	struct av_arena *arena, Avvik__V1__MeasureFact **ret_fact)
{
	return fact_load(txn, 'm', case_id, measure_id, &avvik__v1__measure_fact__descriptor, arena,
		(ProtobufCMessage **)ret_fact);
}

static size_t facts_of_case(struct av_txn *txn, char kind, struct av_bytes case_id,
	const ProtobufCMessageDescriptor *type, struct av_arena *arena, ProtobufCMessage ***ret_facts)
{
	unsigned char bytes[FACT_KEY_MAX];
	ProtobufCMessage **facts = av_arena_alloc(arena, FACTS_MAX * sizeof *facts);
	size_t count = 0;
	struct av_iter it = av_iter(
		txn, TABLE_FACTS, fact_key(bytes, kind, case_id, av_bytes(NULL, 0)), av_bytes(NULL, 0));

	while (facts && count < FACTS_MAX && av_iter_next(&it))
		if (av_message_load(type, it.value, arena, &facts[count]) == AV_OK)
			count++;
	av_iter_end(&it);
	*ret_facts = facts;
	return count;
}

size_t deadline_facts(struct av_txn *txn, struct av_bytes case_id, struct av_arena *arena,
	Avvik__V1__DeadlineFact ***ret_facts)
{
	return facts_of_case(txn, 'd', case_id, &avvik__v1__deadline_fact__descriptor, arena,
		(ProtobufCMessage ***)ret_facts);
}

size_t measure_facts(struct av_txn *txn, struct av_bytes case_id, struct av_arena *arena,
	Avvik__V1__MeasureFact ***ret_facts)
{
	return facts_of_case(txn, 'm', case_id, &avvik__v1__measure_fact__descriptor, arena,
		(ProtobufCMessage ***)ret_facts);
}

size_t reporting_levels(struct av_txn *txn, const char *unit, const char *ret_codes[AV_ORG_DEPTH])
{
	struct av_bytes value;
	size_t count = 0;

	if (!*unit || av_get(txn, TABLE_LEVELS, av_bytes_of(unit), &value) != AV_OK) {
		if (av_get(txn, TABLE_LEVELS, av_bytes_of("*"), &value) != AV_OK)
			return 0;
	}
	const char *at = value.data, *end = at + value.size;
	while (at < end && count < AV_ORG_DEPTH) {
		ret_codes[count++] = at;
		at += strlen(at) + 1;
	}
	return count;
}

size_t figure_key(const Avvik__V1__FigureKey *key, unsigned char ret_bytes[FIGURE_KEY_MAX])
{
	size_t unit = strlen(key->unit) + 1, period = strlen(key->period) + 1,
	       rule = strlen(key->deadline) + 1;
	if (unit + 1 + period + 3 + rule > FIGURE_KEY_MAX)
		return 0;
	unsigned char *at = ret_bytes;
	memcpy(at, key->unit, unit);
	at += unit;
	*at++ = (unsigned char)key->span;
	memcpy(at, key->period, period);
	at += period;
	*at++ = (unsigned char)key->measurement;
	*at++ = (unsigned char)key->kind;
	*at++ = (unsigned char)key->degree;
	memcpy(at, key->deadline, rule);
	return (size_t)(at - ret_bytes) + rule;
}

int figure_key_read(struct av_bytes bytes, Avvik__V1__FigureKey *ret_key)
{
	const char *at = bytes.data, *end = at + bytes.size;
	const char *unit_end = memchr(at, 0, bytes.size);
	if (!unit_end || end - unit_end < 3)
		return AV_DAMAGED;
	const char *period = unit_end + 2, *period_end = memchr(period, 0, (size_t)(end - period));
	if (!period_end || end - period_end < 5 || end[-1] != 0)
		return AV_DAMAGED;
	avvik__v1__figure_key__init(ret_key);
	ret_key->unit = (char *)at;
	ret_key->span = (Avvik__V1__Span)unit_end[1];
	ret_key->period = (char *)period;
	ret_key->measurement = (Avvik__V1__Measurement)(unsigned char)period_end[1];
	ret_key->kind = (Avvik__V1__CaseKind)(unsigned char)period_end[2];
	ret_key->degree = (Avvik__V1__Degree)(unsigned char)period_end[3];
	ret_key->deadline = (char *)period_end + 4;
	return AV_OK;
}

int64_t figure_value(struct av_txn *txn, const Avvik__V1__FigureKey *key)
{
	unsigned char bytes[FIGURE_KEY_MAX];
	struct av_bytes value;
	size_t size = figure_key(key, bytes);
	if (!size || av_get(txn, TABLE_FIGURES, av_bytes(bytes, size), &value) != AV_OK || value.size != 8)
		return 0;
	return (int64_t)av_get_u64(value.data);
}

uint64_t unit_sequence(struct av_txn *txn, const char *unit)
{
	struct av_bytes value;
	if (av_get(txn, TABLE_UNITS, av_bytes_of(unit), &value) != AV_OK || value.size != 8)
		return 0;
	return av_get_u64(value.data);
}

static void figure_add(struct av_txn *txn, const Avvik__V1__FigureKey *key, int64_t change)
{
	unsigned char bytes[FIGURE_KEY_MAX], value[8];
	size_t size = figure_key(key, bytes);
	if (!size) {
		av_txn_fail(txn, AV_TOO_LARGE);
		return;
	}
	int64_t sum = figure_value(txn, key) + change;
	if (sum == 0) {
		av_delete(txn, TABLE_FIGURES, av_bytes(bytes, size));
		return;
	}
	av_put_u64(value, (uint64_t)sum);
	av_put(txn, TABLE_FIGURES, av_bytes(bytes, size), av_bytes(value, sizeof value));
}

static void unit_touched(struct av_txn *txn, const char *unit, uint64_t sequence)
{
	unsigned char value[8];
	av_put_u64(value, sequence);
	av_put(txn, TABLE_UNITS, av_bytes_of(unit), av_bytes(value, sizeof value));
}

/* Its facts wait to be counted where they belong. */
static void unit_unknown(struct av_txn *txn, const char *unit)
{
	char mark[AV_KEY_MAX];
	int size = snprintf(mark, sizeof mark, "?%s", unit);
	if (size > 0 && (size_t)size < sizeof mark)
		av_put(txn, TABLE_LEVELS, av_bytes(mark, (size_t)size), av_bytes(NULL, 0));
}

/* One count at a unit: every span it tells in, at every level. `sequence` 0: no unit's sequence moves. */
static void count_apply(struct av_txn *txn, const Avvik__V1__CountChange *count, uint64_t sequence)
{
	char levels[LEVELS_MAX];
	const char *codes[AV_ORG_DEPTH];
	struct figure_span spans[4];
	size_t span_count = figure_spans(count->day_on, spans), used = 0;
	size_t level_count = reporting_levels(txn, count->unit, codes);

	if (level_count == 0 || strcmp(codes[0], count->unit) != 0)
		unit_unknown(txn, count->unit);
	level_count = reporting_levels(txn, count->unit, codes);
	for (size_t i = 0; i < level_count; i++) { /* out of the record, which dies at the next put */
		size_t size = strlen(codes[i]) + 1;
		if (used + size > sizeof levels)
			return av_txn_fail(txn, AV_TOO_LARGE);
		codes[i] = memcpy(levels + used, codes[i], size);
		used += size;
	}
	for (size_t i = 0; i < level_count; i++) {
		Avvik__V1__FigureKey key = AVVIK__V1__FIGURE_KEY__INIT;
		key.unit = (char *)codes[i];
		key.measurement = count->measurement;
		key.kind = count->kind;
		key.degree = count->degree;
		key.deadline = count->deadline;
		for (size_t s = 0; s < span_count; s++) {
			key.span = spans[s].span;
			key.period = spans[s].period;
			figure_add(txn, &key, count->change);
		}
		if (sequence)
			unit_touched(txn, codes[i], sequence);
	}
}

static void fact_store(struct av_txn *txn, char kind, ProtobufCBinaryData case_id, ProtobufCBinaryData id,
	const ProtobufCMessage *fact, struct av_arena *arena)
{
	unsigned char bytes[FACT_KEY_MAX];
	struct av_bytes key =
		fact_key(bytes, kind, av_bytes(case_id.data, case_id.len), av_bytes(id.data, id.len));
	struct av_bytes packed = av_message_pack(fact, arena);
	if (!key.size || !packed.data)
		return av_txn_fail(txn, key.size ? AV_MEMORY : AV_DAMAGED);
	av_put(txn, TABLE_FACTS, key, packed);
}

static void figures_changed_apply(
	struct av_txn *txn, const Avvik__V1__FiguresChanged *body, uint64_t sequence, struct av_arena *arena)
{
	if (body->case_)
		fact_store(txn, 'c', body->case_->case_id, (ProtobufCBinaryData){0, NULL}, &body->case_->base,
			arena);
	for (size_t i = 0; i < body->n_deadlines; i++)
		fact_store(txn, 'd', body->deadlines[i]->case_id, body->deadlines[i]->deadline_id,
			&body->deadlines[i]->base, arena);
	for (size_t i = 0; i < body->n_measures; i++)
		fact_store(txn, 'm', body->measures[i]->case_id, body->measures[i]->measure_id,
			&body->measures[i]->base, arena);
	for (size_t i = 0; i < body->n_counts; i++)
		count_apply(txn, body->counts[i], sequence);
}

static const Avvik__V1__Unit *unit_of(const Avvik__V1__Directory *directory, const char *code)
{
	for (size_t i = 0; i < directory->n_units; i++)
		if (strcmp(directory->units[i]->code, code) == 0)
			return directory->units[i];
	return NULL;
}

/* Stores the levels of one unit; says whether a unit that was known got others. */
static bool levels_store(
	struct av_txn *txn, const Avvik__V1__Directory *directory, const Avvik__V1__Unit *unit)
{
	char levels[LEVELS_MAX];
	size_t used = 0;
	struct av_bytes before;

	for (size_t depth = 0; unit && depth < AV_ORG_DEPTH; depth++) {
		size_t size = strlen(unit->code) + 1;
		if (used + size > sizeof levels) {
			av_txn_fail(txn, AV_TOO_LARGE);
			return false;
		}
		memcpy(levels + used, unit->code, size);
		used += size;
		unit = *unit->parent ? unit_of(directory, unit->parent) : NULL;
	}
	struct av_bytes key = av_bytes_of(levels), now = av_bytes(levels, used);
	bool known = av_get(txn, TABLE_LEVELS, key, &before) == AV_OK,
	     moved = known && !av_bytes_equal(before, now);
	if (!known || moved)
		av_put(txn, TABLE_LEVELS, key, now);
	return moved;
}

static void fact_counts(
	struct counts *counts, struct av_bytes key, struct av_bytes value, struct av_arena *arena)
{
	ProtobufCMessage *fact;

	switch (*(const char *)key.data) {
	case 'c':
		if (av_message_load(&avvik__v1__case_fact__descriptor, value, arena, &fact) == AV_OK)
			counts_of_case(counts, (Avvik__V1__CaseFact *)fact, +1);
		break;
	case 'd':
		if (av_message_load(&avvik__v1__deadline_fact__descriptor, value, arena, &fact) == AV_OK)
			counts_of_deadline(counts, (Avvik__V1__DeadlineFact *)fact, +1);
		break;
	case 'm':
		if (av_message_load(&avvik__v1__measure_fact__descriptor, value, arena, &fact) == AV_OK)
			counts_of_measure(counts, (Avvik__V1__MeasureFact *)fact, +1);
		break;
	default:
		break;
	}
}

/* Every figure anew, from the facts, under the tree in force. */
static void figures_recount(struct av_txn *txn, struct av_arena *arena)
{
	struct av_iter it = av_iter(txn, TABLE_FIGURES, av_bytes(NULL, 0), av_bytes(NULL, 0));
	while (av_iter_next(&it))
		av_iter_delete(&it);
	av_iter_end(&it);

	it = av_iter(txn, TABLE_FACTS, av_bytes(NULL, 0), av_bytes(NULL, 0));
	while (av_iter_next(&it)) {
		struct counts counts = {.count = 0};
		fact_counts(&counts, it.key, it.value, arena);
		for (size_t i = 0; i < counts.count; i++) {
			Avvik__V1__CountChange change = AVVIK__V1__COUNT_CHANGE__INIT;
			change.unit = (char *)counts.at[i].unit;
			change.measurement = counts.at[i].measurement;
			change.kind = counts.at[i].kind;
			change.degree = counts.at[i].degree;
			change.deadline = (char *)counts.at[i].deadline;
			change.day_on = counts.at[i].on;
			change.change = counts.at[i].change;
			count_apply(txn, &change, 0);
		}
	}
	av_iter_end(&it);
}

static void directory_apply(
	struct av_txn *txn, const Avvik__V1__Directory *directory, uint64_t sequence, struct av_arena *arena)
{
	char mark[AV_KEY_MAX];
	struct av_bytes value;
	/* Before the first directory facts were counted nowhere: any mark tells that there are some. */
	bool first = av_get(txn, TABLE_LEVELS, av_bytes_of("*"), &value) != AV_OK;
	bool recount = first && av_table_count(txn, TABLE_LEVELS) > 0;

	for (size_t i = 0; i < directory->n_units; i++) {
		const Avvik__V1__Unit *unit = directory->units[i];
		recount |= levels_store(txn, directory, unit);
		int size = snprintf(mark, sizeof mark, "?%s", unit->code);
		if (av_get(txn, TABLE_LEVELS, av_bytes(mark, (size_t)size), &value) == AV_OK) {
			av_delete(txn, TABLE_LEVELS, av_bytes(mark, (size_t)size));
			recount = true;
		}
		if (!*unit->parent) /* the committee: for what belongs to no unit */
			av_put(txn, TABLE_LEVELS, av_bytes_of("*"),
				av_bytes(unit->code, strlen(unit->code) + 1));
	}
	if (!recount)
		return;
	figures_recount(txn, arena);
	for (size_t i = 0; i < directory->n_units; i++)
		unit_touched(txn, directory->units[i]->code, sequence);
}

int reporting_apply(struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena)
{
	switch (event->body_case) {
	case AVVIK__V1__EVENT__BODY_FIGURES_CHANGED:
		figures_changed_apply(txn, event->figures_changed, event->sequence, arena);
		break;
	case AVVIK__V1__EVENT__BODY_DIRECTORY_PUBLISHED:
		if (event->directory_published->directory)
			directory_apply(txn, event->directory_published->directory, event->sequence, arena);
		break;
	default: /* the skeleton's own events change no record of ours */
		break;
	}
	return av_txn_error(txn);
}
