/* workflow_apply.c - what each event does to the records; nothing else changes them
 *
 * Live, in replay and in verify: from the event and the records alone. An event of a case raises the case's version;
 * deadlines and rungs do not, so that a warning never makes a handler's version stale. Unknown events change nothing.
 */
#include "workflow_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "case_rules.h"
#include "deadline_rules.h"
#include "org/org.h"
#include "wire/message.h"

struct change {
	struct av_txn *txn;
	const Avvik__V1__Event *event;
	struct av_arena *arena;
	struct av_id id;	/* of the case */
	Avvik__V1__Case *found; /* of the case; its changes are stored when the function is done */
};

typedef int change_fn(struct change *change, const void *body);

#define STATE(name) AVVIK__V1__CASE_STATE__CASE_STATE_##name

/* --- parts --- */

/* The array with one more at its end; old arrays stay in the arena. */
static int append(struct change *change, void *array, size_t *count, void *item)
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

static int keep_content(struct change *change, Avvik__V1__ContentRef *ref)
{
	return ref ? append(change, &change->found->contents, &change->found->n_contents, ref) : AV_OK;
}

static int add_task(struct change *change, const char *task)
{
	return case_task(change->found, task) ? AV_OK
					      : append(change, &change->found->tasks, &change->found->n_tasks, (void *)task);
}

static void end_task(struct change *change, const char *task)
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

static Avvik__V1__Measure *measure_of(struct change *change, ProtobufCBinaryData id)
{
	return (Avvik__V1__Measure *)case_measure(change->found, id.data, id.len);
}

static struct av_bytes work_key(unsigned char key[1 + AV_ID_SIZE], enum workflow_work work, const struct av_id *id)
{
	key[0] = (unsigned char)work;
	memcpy(key + 1, id->bytes, AV_ID_SIZE);
	return av_bytes(key, 1 + AV_ID_SIZE);
}

static struct av_bytes day_key(unsigned char key[4 + AV_ID_SIZE], int64_t received_at_ms, const struct av_id *id)
{
	av_put_u32(key, (uint32_t)AV_MAX(av_local_day(received_at_ms), 0));
	memcpy(key + 4, id->bytes, AV_ID_SIZE);
	return av_bytes(key, 4 + AV_ID_SIZE);
}

/* --- cases --- */

static void count_number(struct change *change, const char *number)
{
	const char *dash = strchr(number, '-');
	unsigned char value[4];
	struct av_bytes key, before;
	uint32_t last;

	if (!dash || dash == number)
		return;
	key = av_bytes(number, (size_t)(dash - number));
	last = (uint32_t)strtoul(dash + 1, NULL, 10);
	if (av_get(change->txn, TABLE_SEQUENCES, key, &before) == AV_OK && before.size == 4 &&
		av_get_u32(before.data) >= last)
		return;
	av_put_u32(value, last);
	av_put(change->txn, TABLE_SEQUENCES, key, av_bytes(value, 4));
}

static int on_case_opened(struct change *change, const void *body)
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
	if (opened->state == STATE(INCOMPLETE) && !opened->placed) {
		status = add_task(change, "unplaced");
		av_put(change->txn, TABLE_UNPLACED, ID_BYTES(&change->id), av_bytes_of(opened->unit));
	}
	if (status == AV_OK && !opened->reporter_named && opened->kind == AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH)
		status = add_task(change, "reporter_unnamed");
	if (!*opened->rules_version)
		av_put(change->txn, TABLE_UNRULED, day_key(key, opened->received_at_ms, &change->id), av_bytes(NULL, 0));
	count_number(change, opened->number);
	return status == AV_OK ? keep_content(change, opened->content) : status;
}

static int on_case_placed(struct change *change, const void *body)
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
	end_task(change, "unplaced");
	av_delete(change->txn, TABLE_UNPLACED, ID_BYTES(&change->id));
	av_delete(change->txn, TABLE_WORK, work_key(key, WORK_PLACE, &change->id));
	for (size_t i = 0; i < count; i++) { /* whom a rung tells follows from the unit */
		deadline_unindex(change->txn, deadlines[i]);
		deadlines[i]->unit_code = placed->unit;
		deadline_store(change->txn, deadlines[i], change->arena);
	}
	return keep_content(change, placed->content);
}

static int on_reporter_named(struct change *change, const void *body)
{
	const Avvik__V1__ReporterNamed *named = body;
	change->found->state = named->state;
	change->found->reporter_named = true;
	change->found->contact_given |= has_part(named->content, AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT);
	end_task(change, "reporter_unnamed");
	return keep_content(change, named->content);
}

static int on_case_remedied(struct change *change, const void *body)
{
	const Avvik__V1__CaseRemedied *remedied = body;
	if (!change->found->remedied)
		change->found->remedied_at_ms = change->event->occurred_at_ms;
	change->found->remedied = true;
	return keep_content(change, remedied->content);
}

static int on_affected_informed(struct change *change, const void *body)
{
	const Avvik__V1__AffectedInformed *informed = body;
	change->found->affected_informed = informed->informed;
	return keep_content(change, informed->content);
}

static int on_case_assessed_initially(struct change *change, const void *body)
{
	const Avvik__V1__CaseAssessedInitially *assessed = body;
	change->found->preliminary_degree = assessed->preliminary_degree;
	change->found->investigator = assessed->investigator;
	change->found->state = assessed->state;
	return keep_content(change, assessed->content);
}

static int on_serious_found(struct change *change, const void *body)
{
	const Avvik__V1__SeriousFound *serious = body;
	change->found->serious_found = true;
	if (!change->found->serious_at_ms)
		change->found->serious_at_ms = change->event->occurred_at_ms;
	change->found->ivo = serious->ivo;
	return keep_content(change, serious->content);
}

static int on_entry_recorded(struct change *change, const void *body)
{
	const Avvik__V1__EntryRecorded *entry = body;
	if (entry->item < 32)
		change->found->items_documented |= 1u << entry->item;
	return keep_content(change, entry->content);
}

static int on_investigation_completed(struct change *change, const void *body)
{
	const Avvik__V1__InvestigationCompleted *completed = body;
	change->found->proposed_degree = completed->proposed_degree;
	change->found->state = completed->state;
	return keep_content(change, completed->content);
}

static int on_case_decided(struct change *change, const void *body)
{
	const Avvik__V1__CaseDecided *decided = body;
	change->found->degree = decided->degree;
	change->found->state = decided->state;
	change->found->ivo = decided->ivo;
	change->found->decided_at_ms = change->event->occurred_at_ms;
	change->found->items_documented |= 1u << 9; /* item 9 is the decision */
	if (case_is_serious(decided->degree) && !change->found->serious_at_ms)
		change->found->serious_at_ms = change->event->occurred_at_ms;
	return keep_content(change, decided->content);
}

static int on_ivo_notified(struct change *change, const void *body)
{
	const Avvik__V1__IvoNotified *notified = body;
	change->found->ivo = notified->ivo;
	change->found->registry_number = notified->registry_number;
	change->found->notified_at_ms = change->event->occurred_at_ms;
	return AV_OK;
}

static int on_investigation_handed_in(struct change *change, const void *body)
{
	const Avvik__V1__InvestigationHandedIn *handed = body;
	change->found->ivo = handed->ivo;
	return AV_OK;
}

static int on_measure_decided(struct change *change, const void *body)
{
	const Avvik__V1__MeasureDecided *decided = body;
	Avvik__V1__Measure *measure = av_arena_alloc(change->arena, sizeof(*measure));
	int status;

	if (!measure)
		return AV_MEMORY;
	avvik__v1__measure__init(measure);
	measure->measure_id = decided->measure_id;
	measure->state = decided->measure_state;
	measure->horizon = decided->horizon;
	measure->responsible = decided->responsible;
	measure->planned_start_on = decided->planned_start_on;
	measure->planned_end_on = decided->planned_end_on;
	measure->decided_at_ms = change->event->occurred_at_ms;
	if (change->event->actor)
		measure->decided_by = change->event->actor->person;
	for (size_t i = 0; i < change->found->n_measures; i++) {
		Avvik__V1__Measure *other = change->found->measures[i];
		if (other->state == AVVIK__V1__MEASURE_STATE__MEASURE_STATE_EVALUATED && !other->effective)
			other->answered = true;
	}
	change->found->state = decided->state;
	status = append(change, &change->found->measures, &change->found->n_measures, measure);
	return status == AV_OK ? keep_content(change, decided->content) : status;
}

static int on_no_measures_decided(struct change *change, const void *body)
{
	const Avvik__V1__NoMeasuresDecided *none = body;
	change->found->state = none->state;
	return keep_content(change, none->content);
}

static int on_measure_executed(struct change *change, const void *body)
{
	const Avvik__V1__MeasureExecuted *executed = body;
	Avvik__V1__Measure *measure = measure_of(change, executed->measure_id);

	if (!measure)
		return AV_NOT_FOUND;
	measure->state = AVVIK__V1__MEASURE_STATE__MEASURE_STATE_EXECUTED;
	measure->executed_at_ms = change->event->occurred_at_ms;
	change->found->state = executed->state;
	return keep_content(change, executed->content);
}

static int on_measure_evaluated(struct change *change, const void *body)
{
	const Avvik__V1__MeasureEvaluated *evaluated = body;
	Avvik__V1__Measure *measure = measure_of(change, evaluated->measure_id);

	if (!measure)
		return AV_NOT_FOUND;
	measure->state = AVVIK__V1__MEASURE_STATE__MEASURE_STATE_EVALUATED;
	measure->evaluated_at_ms = change->event->occurred_at_ms;
	measure->effective = evaluated->effective;
	measure->risk_accepted = evaluated->accept_risk;
	change->found->state = evaluated->state;
	return keep_content(change, evaluated->content);
}

static int on_case_closed(struct change *change, const void *body)
{
	const Avvik__V1__CaseClosed *closed = body;
	change->found->state = STATE(CLOSED);
	change->found->category = closed->category;
	change->found->subcategory = closed->subcategory;
	change->found->closed_at_ms = change->event->occurred_at_ms;
	return keep_content(change, closed->content);
}

static int on_deviation_assessed(struct change *change, const void *body)
{
	const Avvik__V1__DeviationAssessed *assessed = body;
	change->found->n_laws = assessed->n_laws;
	change->found->laws = assessed->laws;
	change->found->category = assessed->category;
	change->found->subcategory = assessed->subcategory;
	change->found->probability = assessed->probability;
	change->found->severity = assessed->severity;
	change->found->state = assessed->state;
	return keep_content(change, assessed->content);
}

/* Invariant vii: kind, state and with them who may see what change in one write. */
static int on_case_turned_lex_sarah(struct change *change, const void *body)
{
	const Avvik__V1__CaseTurnedLexSarah *turned = body;
	int status = AV_OK;

	change->found->kind = AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
	change->found->state = turned->state;
	change->found->legal_reference = turned->legal_reference;
	change->found->was_deviation = true;
	if (!change->found->reporter_named)
		status = add_task(change, "reporter_unnamed");
	return status == AV_OK ? keep_content(change, turned->content) : status;
}

static int on_case_supplemented(struct change *change, const void *body)
{
	const Avvik__V1__CaseSupplemented *supplemented = body;
	return keep_content(change, supplemented->content);
}

static int on_case_rules_set(struct change *change, const void *body)
{
	const Avvik__V1__CaseRulesSet *set = body;
	unsigned char key[4 + AV_ID_SIZE];

	change->found->rules_version = set->rules_version;
	change->found->legal_reference = set->legal_reference;
	av_delete(change->txn, TABLE_UNRULED, day_key(key, change->found->received_at_ms, &change->id));
	av_delete(change->txn, TABLE_WORK, work_key(key, WORK_RULES, &change->id));
	return AV_OK;
}

/* --- deadlines --- */

static int on_deadline_set(struct change *change, const void *body)
{
	const Avvik__V1__DeadlineSet *set = body;
	if (!set->deadline)
		return AV_MALFORMED;
	deadline_store(change->txn, set->deadline, change->arena);
	return AV_OK;
}

static int end_deadline(struct change *change, ProtobufCBinaryData deadline_id, Avvik__V1__DeadlineState state, int64_t ended_at_ms)
{
	struct av_id id = id_of(deadline_id);
	Avvik__V1__Deadline *ledger;
	int status = deadline_load(change->txn, &change->id, &id, change->arena, &ledger);

	if (status != AV_OK)
		return status;
	deadline_unindex(change->txn, ledger);
	ledger->state = state;
	ledger->ended_at_ms = ended_at_ms;
	ledger->ended_recorded_at_ms = change->event->recorded_at_ms;
	deadline_store(change->txn, ledger, change->arena);
	return AV_OK;
}

static int on_deadline_met(struct change *change, const void *body)
{
	const Avvik__V1__DeadlineMet *met = body;
	return end_deadline(change, met->deadline_id,
		met->late ? AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_MET_LATE : AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_MET,
		met->acted_at_ms);
}

static int on_deadline_cancelled(struct change *change, const void *body)
{
	const Avvik__V1__DeadlineCancelled *cancelled = body;
	return end_deadline(change, cancelled->deadline_id, AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_CANCELLED,
		change->event->occurred_at_ms);
}

static int on_rung_fired(struct change *change, const void *body)
{
	const Avvik__V1__RungFired *fired = body;
	struct av_id id = id_of(fired->deadline_id);
	Avvik__V1__Deadline *ledger;
	int status = deadline_load(change->txn, &change->id, &id, change->arena, &ledger);

	if (status != AV_OK)
		return status;
	if (fired->rung >= ledger->n_rungs)
		return AV_MALFORMED;
	deadline_unindex(change->txn, ledger);
	ledger->rungs[fired->rung]->fired_at_ms = change->event->recorded_at_ms;
	ledger->rungs[fired->rung]->late = fired->late;
	deadline_store(change->txn, ledger, change->arena);
	return AV_OK;
}

/* --- what is published --- */

/* Cases without a place whose unit is now a leaf wait to be placed; on_due does it. */
static int on_directory_published(struct change *change, const void *body)
{
	const Avvik__V1__DirectoryPublished *published = body;
	struct av_id stamp = id_of(change->event->event_id);
	struct av_org *org;
	struct av_iter it;
	struct av_bytes packed;

	if (!published->directory)
		return AV_MALFORMED;
	packed = av_message_pack(&published->directory->base, change->arena);
	if (!packed.data)
		return AV_MEMORY;
	published_store(change->txn, 'D', "", &stamp, published->hash, packed);
	if (av_table_count(change->txn, TABLE_UNPLACED) == 0)
		return AV_OK;
	org = av_org_create(published->directory, change->arena);
	if (!org)
		return AV_MEMORY;
	it = av_iter(change->txn, TABLE_UNPLACED, av_bytes(NULL, 0), av_bytes(NULL, 0));
	while (av_iter_next(&it)) {
		unsigned char key[1 + AV_ID_SIZE];
		char unit[64] = "";
		struct av_id id;
		const Avvik__V1__Unit *known;

		if (it.key.size != AV_ID_SIZE || it.value.size >= sizeof(unit))
			continue;
		memcpy(id.bytes, it.key.data, AV_ID_SIZE);
		if (it.value.size)
			memcpy(unit, it.value.data, it.value.size);
		known = av_org_unit(org, unit);
		if (known && av_org_leaf(org, known))
			av_put(change->txn, TABLE_WORK, work_key(key, WORK_PLACE, &id), av_bytes(NULL, 0));
		else
			av_delete(change->txn, TABLE_WORK, work_key(key, WORK_PLACE, &id));
	}
	av_iter_end(&it);
	return AV_OK;
}

/* Cases that were opened before a rule pack covered their day wait for theirs; on_due does it. */
static int on_rules_published(struct change *change, const void *body)
{
	const Avvik__V1__RulesPublished *published = body;
	struct av_id stamp = id_of(change->event->event_id);
	unsigned char from[4];
	struct av_bytes packed;
	struct av_iter it;

	if (!published->rules)
		return AV_MALFORMED;
	packed = av_message_pack(&published->rules->base, change->arena);
	if (!packed.data)
		return AV_MEMORY;
	published_store(change->txn, 'R', published->rules->version, &stamp, published->hash, packed);
	published_store(change->txn, 'S', "", &stamp, published->hash, av_bytes(NULL, 0));
	av_put_u32(from, (uint32_t)AV_MAX(published->rules->valid_from_on, 0));
	it = av_iter(change->txn, TABLE_UNRULED, av_bytes(NULL, 0), av_bytes(from, sizeof(from)));
	while (av_iter_next(&it)) {
		unsigned char key[1 + AV_ID_SIZE];
		struct av_id id;
		av_day day;

		if (it.key.size != 4 + AV_ID_SIZE)
			continue;
		day = (av_day)av_get_u32(it.key.data);
		if (published->rules->valid_until_on && day > published->rules->valid_until_on)
			break;
		memcpy(id.bytes, (const char *)it.key.data + 4, AV_ID_SIZE);
		av_put(change->txn, TABLE_WORK, work_key(key, WORK_RULES, &id), av_bytes_of(published->rules->version));
	}
	av_iter_end(&it);
	return AV_OK;
}

/* --- the table --- */

enum changes { CASE_NEW, CASE_CHANGED, OTHER };

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
static const struct {
	unsigned int number;
	enum changes what;
	change_fn *function;
} table[] = { /* clang-format off */
	{ EVENT(DIRECTORY_PUBLISHED),     OTHER,        on_directory_published },
	{ EVENT(RULES_PUBLISHED),         OTHER,        on_rules_published },
	{ EVENT(CASE_OPENED),             CASE_NEW,     on_case_opened },
	{ EVENT(CASE_PLACED),             CASE_CHANGED, on_case_placed },
	{ EVENT(REPORTER_NAMED),          CASE_CHANGED, on_reporter_named },
	{ EVENT(CASE_REMEDIED),           CASE_CHANGED, on_case_remedied },
	{ EVENT(AFFECTED_INFORMED),       CASE_CHANGED, on_affected_informed },
	{ EVENT(CASE_ASSESSED_INITIALLY), CASE_CHANGED, on_case_assessed_initially },
	{ EVENT(SERIOUS_FOUND),           CASE_CHANGED, on_serious_found },
	{ EVENT(ENTRY_RECORDED),          CASE_CHANGED, on_entry_recorded },
	{ EVENT(INVESTIGATION_COMPLETED), CASE_CHANGED, on_investigation_completed },
	{ EVENT(CASE_DECIDED),            CASE_CHANGED, on_case_decided },
	{ EVENT(IVO_NOTIFIED),            CASE_CHANGED, on_ivo_notified },
	{ EVENT(INVESTIGATION_HANDED_IN), CASE_CHANGED, on_investigation_handed_in },
	{ EVENT(MEASURE_DECIDED),         CASE_CHANGED, on_measure_decided },
	{ EVENT(NO_MEASURES_DECIDED),     CASE_CHANGED, on_no_measures_decided },
	{ EVENT(MEASURE_EXECUTED),        CASE_CHANGED, on_measure_executed },
	{ EVENT(MEASURE_EVALUATED),       CASE_CHANGED, on_measure_evaluated },
	{ EVENT(CASE_CLOSED),             CASE_CHANGED, on_case_closed },
	{ EVENT(DEVIATION_ASSESSED),      CASE_CHANGED, on_deviation_assessed },
	{ EVENT(CASE_TURNED_LEX_SARAH),   CASE_CHANGED, on_case_turned_lex_sarah },
	{ EVENT(CASE_SUPPLEMENTED),       CASE_CHANGED, on_case_supplemented },
	{ EVENT(CASE_RULES_SET),          CASE_CHANGED, on_case_rules_set },
	{ EVENT(DEADLINE_SET),            OTHER,        on_deadline_set },
	{ EVENT(DEADLINE_MET),            OTHER,        on_deadline_met },
	{ EVENT(DEADLINE_CANCELLED),      OTHER,        on_deadline_cancelled },
	{ EVENT(RUNG_FIRED),              OTHER,        on_rung_fired },
}; /* clang-format on */

int workflow_apply(struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena)
{
	struct change change = {.txn = txn, .event = event, .arena = arena, .id = id_of(event->case_id)};
	struct case_place was = {0};
	size_t row = 0;
	int status;

	while (row < AV_COUNT(table) && table[row].number != (unsigned int)event->body_case)
		row++;
	if (row == AV_COUNT(table))
		return AV_OK;
	if (table[row].what == CASE_CHANGED) {
		status = case_load(txn, &change.id, arena, &change.found);
		if (status != AV_OK)
			return status;
		was = (struct case_place){(int)change.found->kind, (int)change.found->state, change.found->unit};
	}
	status = table[row].function(&change, av_body(&event->base));
	if (status != AV_OK || table[row].what == OTHER)
		return status;
	change.found->version++;
	change.found->changed_at_ms = event->recorded_at_ms;
	case_store(txn, &change.id, was, change.found, arena);
	return AV_OK;
}
