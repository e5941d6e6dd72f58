/* case_changes.c - what the events of a case do to its record */
#include "apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "case_rules.h"

#define STATE(name) AVVIK__V1__CASE_STATE__CASE_STATE_##name

/* --- parts --- */

int change_append(struct change *change, void *array, size_t *count, void *item)
{
	void ***items = array;
	void **more = av_arena_alloc(change->arena, (*count + 1) * sizeof(*more));

	if (!more)
		return AV_MEMORY;
	if (*count)
		memcpy(more, *items, *count * sizeof(*more));
	more[(*count)++] = item;
	*items = more;
	return AV_OK;
}

int change_keep_content(struct change *change, Avvik__V1__ContentRef *ref)
{
	return ref ? change_append(change, &change->found->contents, &change->found->n_contents, ref) : AV_OK;
}

int change_add_task(struct change *change, const char *task)
{
	return case_task(change->found, task)
		       ? AV_OK
		       : change_append(change, &change->found->tasks, &change->found->n_tasks, (void *)task);
}

void change_end_task(struct change *change, const char *task)
{
	size_t kept = 0;
	for (size_t i = 0; i < change->found->n_tasks; i++)
		if (strcmp(change->found->tasks[i], task) != 0)
			change->found->tasks[kept++] = change->found->tasks[i];
	change->found->n_tasks = kept;
}

static bool has_part(const Avvik__V1__ContentRef *ref, Avvik__V1__ContentPart part)
{
	for (size_t i = 0; ref && i < ref->n_parts; i++)
		if (ref->parts[i] == part)
			return true;
	return false;
}

static struct av_bytes day_key(
	unsigned char key[4 + AV_ID_SIZE], int64_t received_at_ms, const struct av_id *id)
{
	av_put_u32(key, (uint32_t)AV_MAX(av_local_day(received_at_ms), 0));
	memcpy(key + 4, id->bytes, AV_ID_SIZE);
	return av_bytes(key, 4 + AV_ID_SIZE);
}

static void count_number(struct change *change, const char *number)
{
	const char *dash = strchr(number, '-');
	unsigned char value[4];
	struct av_bytes key, before;
	uint32_t last;

	if (!dash || dash == number || !change->txn)
		return;
	key = av_bytes(number, (size_t)(dash - number));
	last = (uint32_t)strtoul(dash + 1, NULL, 10);
	if (av_get(change->txn, TABLE_SEQUENCES, key, &before) == AV_OK && before.size == 4 &&
		av_get_u32(before.data) >= last)
		return;
	av_put_u32(value, last);
	av_put(change->txn, TABLE_SEQUENCES, key, av_bytes(value, 4));
}

/* Whoever received the report in another system knew who reported; it waits for no name here. */
bool change_is_taken_over(const struct change *change)
{
	return change->event->actor && *change->event->actor->taken_over_from;
}

int change_case_opened(struct change *change, const void *body)
{
	const Avvik__V1__CaseOpened *opened = body;
	unsigned char key[4 + AV_ID_SIZE];
	Avvik__V1__Case *made = av_arena_alloc(change->arena, sizeof(*made));
	int status = AV_OK;

	if (!made)
		return AV_MEMORY;
	avvik__v1__case__init(made);
	change->found = made;
	made->case_id = id_data(&change->id, change->arena);
	made->kind = opened->kind;
	made->state = opened->state;
	made->ivo = AVVIK__V1__IVO_STATE__IVO_STATE_NOT_REQUIRED;
	made->number = opened->number;
	made->unit = opened->unit;
	made->registry_number = opened->registry_number;
	made->received_at_ms = opened->received_at_ms;
	made->noticed_at_ms = opened->noticed_at_ms;
	made->occurred_at_ms = opened->occurred_at_ms;
	made->preliminary_degree = opened->preliminary_degree;
	made->rules_version = opened->rules_version;
	made->legal_reference = opened->legal_reference;
	made->category = opened->category;
	made->subcategory = opened->subcategory;
	made->n_laws = opened->n_laws;
	made->laws = opened->laws;
	made->protected_identity = opened->protected_identity;
	made->principal = opened->principal;
	made->reporter_named = opened->reporter_named;
	made->contact_given = opened->contact_given;
	made->trace_id = change->event->trace_id;
	made->opened_at_ms = change->event->recorded_at_ms;
	made->concerns = opened->concerns;
	made->reported_by = opened->reported_by;
	if (opened->state == STATE(INCOMPLETE) && !opened->placed) {
		status = change_add_task(change, "unplaced");
		av_put(change->txn, TABLE_UNPLACED, ID_BYTES(&change->id), av_bytes_of(opened->unit));
	}
	if (status == AV_OK && !opened->reporter_named && !change_is_taken_over(change) &&
		opened->kind == AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH)
		status = change_add_task(change, "reporter_unnamed");
	if (!*opened->rules_version)
		av_put(change->txn, TABLE_UNRULED, day_key(key, opened->received_at_ms, &change->id),
			av_bytes(NULL, 0));
	count_number(change, opened->number);
	return status == AV_OK ? change_keep_content(change, opened->content) : status;
}

int change_case_placed(struct change *change, const void *body)
{
	const Avvik__V1__CasePlaced *placed = body;
	unsigned char key[1 + AV_ID_SIZE];
	Avvik__V1__Deadline **deadlines;
	size_t count;
	int status = deadlines_load(change->txn, &change->id, change->arena, &deadlines, &count);

	if (status != AV_OK)
		return status;
	change->found->unit = placed->unit;
	change->found->state = placed->state;
	if (placed->kind) { /* of a private provider: whoever reported there */
		change->found->kind = placed->kind;
		change->found->legal_reference = placed->legal_reference;
		change_end_task(change, "reporter_unnamed");
	}
	if (placed->state == STATE(RECEIVED))
		change->found->handler = (char *)""; /* another unit reviews it anew */
	change_end_task(change, "unplaced");
	av_delete(change->txn, TABLE_UNPLACED, ID_BYTES(&change->id));
	av_delete(change->txn, TABLE_WORK, work_key(key, WORK_PLACE, &change->id));
	for (size_t i = 0; i < count; i++) { /* whom a rung tells follows from the unit */
		struct deadline_place was = deadline_place(deadlines[i]);
		deadlines[i]->unit_code = placed->unit;
		deadline_store(change->txn, was, deadlines[i], change->arena);
	}
	return change_keep_content(change, placed->content);
}

int change_reporter_named(struct change *change, const void *body)
{
	const Avvik__V1__ReporterNamed *named = body;
	change->found->state = named->state;
	change->found->reporter_named = true;
	change->found->contact_given |=
		has_part(named->content, AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT);
	change_end_task(change, "reporter_unnamed");
	return change_keep_content(change, named->content);
}

int change_case_remedied(struct change *change, const void *body)
{
	const Avvik__V1__CaseRemedied *remedied = body;
	if (!change->found->remedied)
		change->found->remedied_at_ms = change->event->occurred_at_ms;
	change->found->remedied = true;
	return change_keep_content(change, remedied->content);
}

int change_case_assessed_initially(struct change *change, const void *body)
{
	const Avvik__V1__CaseAssessedInitially *assessed = body;
	change->found->preliminary_degree = assessed->preliminary_degree;
	change->found->investigator = assessed->investigator;
	change->found->state = assessed->state;
	return change_keep_content(change, assessed->content);
}

/* The log of attributed entries: what is said in them is sealed. */
int change_entry_recorded(struct change *change, const void *body)
{
	const Avvik__V1__EntryRecorded *recorded = body;
	Avvik__V1__Entry *entry = av_arena_alloc(change->arena, sizeof(*entry));
	int status;

	if (!entry)
		return AV_MEMORY;
	avvik__v1__entry__init(entry);
	entry->entry_id = recorded->entry_id;
	entry->item = recorded->item;
	entry->nature = recorded->nature;
	entry->occurred_at_ms = change->event->occurred_at_ms;
	if (change->event->actor) {
		entry->author = change->event->actor->person;
		entry->role = change->event->actor->role;
	}
	if (recorded->content)
		entry->content_id = recorded->content->content_id;
	entry->happened_at_ms = recorded->happened_at_ms;
	entry->cause_area = recorded->cause_area;
	entry->recurrent = recorded->recurrent;
	entry->risk_of_recurrence = recorded->risk_of_recurrence;
	if (recorded->item < 32)
		change->found->items_documented |= 1u << recorded->item;
	status = change_append(change, &change->found->entries, &change->found->n_entries, entry);
	return status == AV_OK ? change_keep_content(change, recorded->content) : status;
}

int change_investigation_completed(struct change *change, const void *body)
{
	const Avvik__V1__InvestigationCompleted *completed = body;
	change->found->proposed_degree = completed->proposed_degree;
	change->found->state = completed->state;
	return change_keep_content(change, completed->content);
}

int change_case_decided(struct change *change, const void *body)
{
	const Avvik__V1__CaseDecided *decided = body;
	change->found->degree = decided->degree;
	change->found->state = decided->state;
	change->found->ivo = decided->ivo;
	change->found->decided_at_ms = change->event->occurred_at_ms;
	change->found->items_documented |= 1u << 9; /* item 9 is the decision */
	if (case_is_serious(decided->degree) && !change->found->serious_at_ms)
		change->found->serious_at_ms = change->event->occurred_at_ms;
	return change_keep_content(change, decided->content);
}

int change_case_closed(struct change *change, const void *body)
{
	const Avvik__V1__CaseClosed *closed = body;
	const char *category = change->found->category;

	change->found->state = STATE(CLOSED);
	change->found->category = closed->category;
	change->found->subcategory = closed->subcategory;
	change->found->closed_at_ms = change->event->occurred_at_ms;
	change_index_effective(change, category);
	return change_keep_content(change, closed->content);
}

int change_case_supplemented(struct change *change, const void *body)
{
	const Avvik__V1__CaseSupplemented *supplemented = body;
	return change_keep_content(change, supplemented->content);
}

int change_case_rules_set(struct change *change, const void *body)
{
	const Avvik__V1__CaseRulesSet *set = body;
	unsigned char key[4 + AV_ID_SIZE];

	change->found->rules_version = set->rules_version;
	change->found->legal_reference = set->legal_reference;
	av_delete(change->txn, TABLE_UNRULED, day_key(key, change->found->received_at_ms, &change->id));
	av_delete(change->txn, TABLE_WORK, work_key(key, WORK_RULES, &change->id));
	return AV_OK;
}

/* "system NUL external id": how the case is known there. */
int change_case_taken_over(struct change *change, const void *body)
{
	const Avvik__V1__CaseTakenOver *taken = body;
	unsigned char key[TAKEN_KEY_MAX];
	Avvik__V1__Takeover *takeover = av_arena_alloc(change->arena, sizeof(*takeover));

	if (!takeover)
		return AV_MEMORY;
	avvik__v1__takeover__init(takeover);
	takeover->system = taken->system;
	takeover->external_id = taken->external_id;
	takeover->at_ms = change->event->recorded_at_ms;
	takeover->content =
		change->found->n_contents ? change->found->contents[0] : NULL; /* it may be corrected */
	change->found->takeover = takeover;
	if (change->txn)
		av_put(change->txn, TABLE_TAKEN,
			av_bytes(key, taken_key(key, taken->system, taken->external_id)),
			ID_BYTES(&change->id));
	return change_keep_content(change, taken->content);
}
