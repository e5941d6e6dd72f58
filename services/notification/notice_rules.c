/* notice_rules.c - who is told what.
 *
 * A case that is incomplete (its unit or its reporter is not known) is first a task: of the rules for
 * CaseOpened only those marked `incomplete` speak then, and those to the reporter, who has waited long
 * enough. The others follow with the event that completes it, so that a unit that was named later learns of
 * its case all the same.
 */
#include "notice_rules.h"

#include <string.h>
#include "base/macros.h"
#include "base/status.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define INCOMPLETE AVVIK__V1__CASE_STATE__CASE_STATE_INCOMPLETE

static const char *const operations[] = {
	[AVVIK__V1__OPERATION__OPERATION_OWN] = "own",
	[AVVIK__V1__OPERATION__OPERATION_IN_HOUSE_CONTRACT] = "in_house_contract",
	[AVVIK__V1__OPERATION__OPERATION_CONTRACTED] = "contracted",
	[AVVIK__V1__OPERATION__OPERATION_PRIVATE] = "private",
};

/* Minutes after the 1st, 2nd, … failed attempt: a server that restarts is met soon, one that is down for a
 * night too. */
static const int retry_minutes[] = {1, 2, 5, 10, 20, 40, 60, 120, 240, 480, 480};

int64_t notice_retry_ms(unsigned int attempts)
{
	if (attempts == 0)
		return 0;
	return attempts <= AV_COUNT(retry_minutes) ? (int64_t)retry_minutes[attempts - 1] * 60000 : -1;
}

const char *notice_operation(int operation)
{
	bool known = operation > 0 && (size_t)operation < AV_COUNT(operations) && operations[operation];
	return known ? operations[operation] : "";
}

int64_t notice_after_quiet(const Avvik__V1__QuietHours *quiet, int64_t now_ms)
{
	if (!quiet || quiet->from_minute == quiet->to_minute)
		return now_ms;
	av_day day = av_local_day(now_ms);
	int from = (int)quiet->from_minute * 60000, to = (int)quiet->to_minute * 60000;
	int now = av_local_ms_of_day(now_ms);
	if (from < to)
		return now >= from && now < to ? av_local_instant(day, to) : now_ms;
	if (now >= from)
		return av_local_instant(day + 1, to);
	return now < to ? av_local_instant(day, to) : now_ms;
}

const Avvik__V1__Unit *notice_unit(const struct av_org *org, const char *unit)
{
	const Avvik__V1__Unit *found = unit && *unit ? av_org_unit(org, unit) : NULL;
	const Avvik__V1__Directory *directory = av_org_directory(org);

	for (size_t i = 0; !found && i < directory->n_units; i++)
		if (directory->units[i]->parent[0] == '\0')
			found = directory->units[i];
	return found;
}

/* --- matching --- */

struct deciding {
	const struct notice_question *q;
	struct av_arena *arena;
	const char *event; /* the name that is matched */
	const Avvik__V1__RungFired *rung;
	const Avvik__V1__Unit *unit;
	bool unplaced;	    /* its unit is not known */
	bool incomplete;    /* the case waits to be completed */
	bool reporter_only; /* of rules that are not for incomplete cases */
	bool skip_reporter; /* told when the case was opened */
	bool matched;
	struct notice_decision *decisions;
	size_t count, room;
};

static bool has_int(const void *list, size_t count, int value)
{
	const int *values = list;
	for (size_t i = 0; i < count; i++)
		if (values[i] == value)
			return true;
	return count == 0;
}

static bool has_law(const Avvik__V1__NoticeRule *rule, const Avvik__V1__CaseKnown *known)
{
	for (size_t i = 0; i < known->n_laws; i++)
		if (rule->n_laws && has_int(rule->laws, rule->n_laws, (int)known->laws[i]))
			return true;
	return rule->n_laws == 0;
}

static bool has_operation(const Avvik__V1__NoticeRule *rule, const Avvik__V1__Unit *unit)
{
	for (size_t i = 0; unit && i < rule->n_operations; i++)
		if (strcmp(rule->operations[i], notice_operation((int)unit->operation)) == 0)
			return true;
	return rule->n_operations == 0;
}

/* From one unit to another, not from none. */
static bool was_moved(const struct deciding *d)
{
	return d->q->event->body_case == EVENT(CASE_PLACED) && d->q->before &&
	       d->q->before->state != INCOMPLETE && strcmp(d->q->before->unit, d->q->after->unit) != 0;
}

static bool rule_matches(const struct deciding *d, const Avvik__V1__NoticeRule *rule)
{
	const Avvik__V1__CaseKnown *known = d->q->after;

	if (strcmp(rule->event, d->event) != 0)
		return false;
	if (rule->incomplete && !d->incomplete)
		return false;
	if (rule->moved && !was_moved(d))
		return false;
	if (!has_int(rule->kinds, rule->n_kinds, (int)known->kind) ||
		!has_int(rule->degrees, rule->n_degrees, (int)known->degree))
		return false;
	if (!has_law(rule, known) || !has_operation(rule, d->unit))
		return false;
	if (d->rung) {
		if (rule->deadline[0] != '\0' && strcmp(rule->deadline, d->rung->rule) != 0)
			return false;
		return has_int(rule->rungs, rule->n_rungs, (int)d->rung->kind);
	}
	return rule->deadline[0] == '\0' && rule->n_rungs == 0;
}

/* What a rung of a statutory deadline tells breaks through quiet hours; a local target does not, whatever the
 * rule says. */
static Avvik__V1__NoticeKind kind_of(const struct deciding *d, const Avvik__V1__NoticeRule *rule)
{
	if (d->rung && d->rung->statutory && rule->kind == AVVIK__V1__NOTICE_KIND__NOTICE_KIND_TASK)
		return AVVIK__V1__NOTICE_KIND__NOTICE_KIND_STATUTORY;
	if (d->rung && !d->rung->statutory && rule->kind == AVVIK__V1__NOTICE_KIND__NOTICE_KIND_STATUTORY)
		return AVVIK__V1__NOTICE_KIND__NOTICE_KIND_TASK;
	return rule->kind;
}

static bool is_copy(Avvik__V1__NoticeKind kind)
{
	return kind == AVVIK__V1__NOTICE_KIND__NOTICE_KIND_INFORMATION ||
	       kind == AVVIK__V1__NOTICE_KIND__NOTICE_KIND_EXISTS;
}

static int64_t not_before(const struct deciding *d, Avvik__V1__NoticeKind kind)
{
	int64_t at_ms = d->q->now_ms;
	if (d->rung && d->rung->late)
		at_ms += NOTICE_GATHER_MS;
	if (kind == AVVIK__V1__NOTICE_KIND__NOTICE_KIND_STATUTORY)
		return at_ms;
	return notice_after_quiet(d->q->pack->quiet_hours, at_ms);
}

static struct notice_decision *add(struct deciding *d, const Avvik__V1__NoticeRule *rule, const char *role)
{
	if (d->count == d->room) {
		size_t room = d->room ? d->room * 2 : 16;
		struct notice_decision *larger = av_arena_alloc(d->arena, room * sizeof *larger);
		if (!larger)
			return NULL;
		if (d->count)
			memcpy(larger, d->decisions, d->count * sizeof *larger);
		d->decisions = larger;
		d->room = room;
	}
	struct notice_decision *decision = &d->decisions[d->count++];
	*decision = (struct notice_decision){.rule = rule->id,
		.event = d->event,
		.template = rule->template_,
		.role = role,
		.kind = kind_of(d, rule),
		.unit = d->unit ? d->unit->code : "",
		.rung = d->rung};
	decision->not_before_ms = not_before(d, decision->kind);
	return decision;
}

static int add_nobody(
	struct deciding *d, const Avvik__V1__NoticeRule *rule, const char *role, const char *why)
{
	struct notice_decision *decision = add(d, rule, role);
	if (decision)
		decision->why = why;
	return decision ? AV_OK : AV_MEMORY;
}

static int add_person(struct deciding *d, const Avvik__V1__NoticeRule *rule, const char *role,
	const char *person, const char *deputy_for)
{
	const Avvik__V1__Actor *actor = d->q->event->actor;

	if (actor && actor->person[0] != '\0' && is_copy(kind_of(d, rule)) &&
		strcmp(person, actor->person) == 0)
		return AV_OK;
	for (size_t i = 0; i < d->count; i++)
		if (d->decisions[i].person && strcmp(d->decisions[i].rule, rule->id) == 0 &&
			strcmp(d->decisions[i].person, person) == 0)
			return AV_OK;
	if (d->count >= NOTICE_DECISIONS_MAX)
		return add_nobody(d, rule, role, UNREACHABLE_TOO_MANY);
	struct notice_decision *decision = add(d, rule, role);
	if (!decision)
		return AV_MEMORY;
	decision->person = person;
	decision->deputy_for = deputy_for;
	return AV_OK;
}

/* A request of IVO stands in the place of a measure: who investigates answers it. */
static const char *measure_responsible(const Avvik__V1__CaseKnown *known, ProtobufCBinaryData measure_id)
{
	for (size_t i = 0; i < known->n_measures; i++)
		if (measure_id.len && known->measures[i]->measure_id.len == measure_id.len &&
			memcmp(known->measures[i]->measure_id.data, measure_id.data, measure_id.len) == 0)
			return known->measures[i]->responsible;
	return known->investigator;
}

/* Of the measure that the event speaks of; of the whole case it is who investigates. */
static const char *responsible_of(const struct deciding *d)
{
	const Avvik__V1__Event *event = d->q->event;

	switch (event->body_case) {
	case EVENT(MEASURE_DECIDED):
		return event->measure_decided->responsible;
	case EVENT(PROPOSAL_DECIDED):
		return event->proposal_decided->responsible;
	case EVENT(EFFECT_JUDGED):
		return event->effect_judged->responsible;
	case EVENT(MEASURE_EXECUTED):
		return measure_responsible(d->q->after, event->measure_executed->measure_id);
	case EVENT(MEASURE_EVALUATED):
		return measure_responsible(d->q->after, event->measure_evaluated->measure_id);
	case EVENT(RUNG_FIRED):
		if (event->rung_fired->measure_id.len == 0)
			return d->q->after->investigator;
		if (event->rung_fired->responsible[0] != '\0')
			return event->rung_fired->responsible;
		return measure_responsible(d->q->after, event->rung_fired->measure_id);
	default:
		return d->q->after->investigator;
	}
}

/* A recorded position: nobody is to investigate, and nobody is missing. */
static bool investigates_nobody(const Avvik__V1__Event *event)
{
	return event->body_case == EVENT(CASE_ASSESSED_INITIALLY) &&
	       !event->case_assessed_initially->investigate;
}

static int tell_named(struct deciding *d, const Avvik__V1__NoticeRule *rule, const char *role,
	const char *person, const char *why)
{
	struct av_org_found found[AV_ORG_FOUND_MAX];

	if (!person || *person == '\0')
		return add_nobody(d, rule, role, why);
	size_t count = av_org_stand_ins(d->q->org, person, av_local_day(d->q->now_ms), found);
	if (count == 0)
		return add_nobody(d, rule, role, UNREACHABLE_NO_HOLDER);
	int status = AV_OK;
	for (size_t i = 0; status == AV_OK && i < count; i++)
		status = add_person(d, rule, role, found[i].person, found[i].deputy_for);
	return status;
}

/* While nobody knows the unit there is no path upwards: the role is looked for at the committee, then in its
 * administrations. Not below, where it would tell every manager of something that concerns one of them. */
static int tell_from_top(struct deciding *d, const Avvik__V1__NoticeRule *rule, const char *role)
{
	static const int top[] = {AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_COMMITTEE,
		AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_ADMINISTRATION};
	const Avvik__V1__Directory *directory = av_org_directory(d->q->org);
	av_day today = av_local_day(d->q->now_ms);
	struct av_org_found found[AV_ORG_FOUND_MAX];
	bool any = false;
	int status = AV_OK;

	for (size_t level = 0; status == AV_OK && !any && level < AV_COUNT(top); level++)
		for (size_t i = 0; status == AV_OK && i < directory->n_units; i++) {
			const Avvik__V1__Unit *unit = directory->units[i];
			if ((int)unit->level != top[level])
				continue;
			size_t count = av_org_find(d->q->org, role, unit->code, 0, today, found);
			for (size_t j = 0; status == AV_OK && j < count; j++) {
				any = true;
				status = add_person(d, rule, role, found[j].person, found[j].deputy_for);
			}
		}
	return status == AV_OK && !any ? add_nobody(d, rule, role, UNREACHABLE_NO_HOLDER) : status;
}

/* Who investigates a lex Sarah case, or that person's deputies. 0: nobody does, or nobody who is known. */
static size_t find_assigned(
	const struct deciding *d, const Avvik__V1__Recipient *to, struct av_org_found found[AV_ORG_FOUND_MAX])
{
	const Avvik__V1__CaseKnown *known = d->q->after;

	if (!to->assigned || known->kind != AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH ||
		known->investigator[0] == '\0')
		return 0;
	return av_org_stand_ins(d->q->org, known->investigator, av_local_day(d->q->now_ms), found);
}

static int tell_role(struct deciding *d, const Avvik__V1__NoticeRule *rule, const Avvik__V1__Recipient *to)
{
	struct av_org_found found[AV_ORG_FOUND_MAX];
	size_t count = find_assigned(d, to, found);

	if (count == 0 && d->unplaced)
		return tell_from_top(d, rule, to->role);
	if (count == 0 && d->unit)
		count = av_org_find(d->q->org, to->role, d->unit->code, av_org_level(to->from_level),
			av_local_day(d->q->now_ms), found);
	if (count == 0)
		return add_nobody(d, rule, to->role, UNREACHABLE_NO_HOLDER);
	int status = AV_OK;
	for (size_t i = 0; status == AV_OK && i < count; i++)
		status = add_person(d, rule, to->role, found[i].person, found[i].deputy_for);
	return status;
}

static int tell_reporter(struct deciding *d, const Avvik__V1__NoticeRule *rule, const char *role)
{
	if (!d->q->reporter_has_mail)
		return add_nobody(d, rule, role, UNREACHABLE_NO_CONTACT);
	return add_person(d, rule, role, "", NULL);
}

static int tell(struct deciding *d, const Avvik__V1__NoticeRule *rule, const Avvik__V1__Recipient *to)
{
	if (strcmp(to->role, "reporter") == 0)
		return d->skip_reporter ? AV_OK : tell_reporter(d, rule, to->role);
	if (d->reporter_only && !rule->incomplete)
		return AV_OK;
	if (strcmp(to->role, "responsible") == 0 && investigates_nobody(d->q->event))
		return AV_OK;
	if (strcmp(to->role, "responsible") == 0)
		return tell_named(d, rule, to->role, responsible_of(d), UNREACHABLE_NO_RESPONSIBLE);
	if (strcmp(to->role, "actor") == 0)
		return tell_named(d, rule, to->role, d->q->event->actor ? d->q->event->actor->person : NULL,
			UNREACHABLE_NO_ACTOR);
	return tell_role(d, rule, to);
}

/* A deadline that runs on in a closed case is one that the rule pack lets outlive it. */
static bool told_when_closed(const struct deciding *d, const Avvik__V1__NoticeRule *rule)
{
	return d->rung || rule->also_closed || rule->kind == AVVIK__V1__NOTICE_KIND__NOTICE_KIND_FEEDBACK;
}

static int apply_rule(struct deciding *d, const Avvik__V1__NoticeRule *rule)
{
	Avvik__V1__Recipient **to = rule->to;
	size_t count = rule->n_to;

	d->matched = true;
	if (d->q->before && d->q->before->closed && !told_when_closed(d, rule))
		return AV_OK;
	if (count == 0 && d->rung) {
		to = d->rung->to;
		count = d->rung->n_to;
	}
	int status = AV_OK;
	for (size_t i = 0; status == AV_OK && i < count; i++)
		status = tell(d, rule, to[i]);
	return status;
}

static int match(struct deciding *d)
{
	const Avvik__V1__RulePack *pack = d->q->pack;
	int status = AV_OK;

	for (size_t i = 0; status == AV_OK && i < pack->n_notices; i++)
		if (rule_matches(d, pack->notices[i]))
			status = apply_rule(d, pack->notices[i]);
	return status;
}

/* A ladder may name recipients of a rung that no row of the matrix speaks of: they are told in general words,
 * rather than a deadline passing in silence. */
static int match_bare_rung(struct deciding *d)
{
	static const char *const templates[] = {
		[AVVIK__V1__RUNG_KIND__RUNG_KIND_WARNING] = "deadline-warning",
		[AVVIK__V1__RUNG_KIND__RUNG_KIND_DUE] = "deadline-due",
		[AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE] = "deadline-overdue",
		[AVVIK__V1__RUNG_KIND__RUNG_KIND_ESCALATION] = "deadline-escalation",
	};
	size_t kind = (size_t)d->rung->kind;
	if (kind == 0 || kind >= AV_COUNT(templates))
		return AV_OK;
	Avvik__V1__NoticeRule *rule = av_arena_alloc(d->arena, sizeof *rule);
	if (!rule)
		return AV_MEMORY;
	avvik__v1__notice_rule__init(rule);
	rule->id = (char *)"rung";
	rule->kind = AVVIK__V1__NOTICE_KIND__NOTICE_KIND_TASK;
	rule->template_ = (char *)templates[kind];
	return apply_rule(d, rule);
}

static const char *event_name(const Avvik__V1__Event *event)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field(event->base.descriptor, event->body_case);
	const ProtobufCMessageDescriptor *type = field ? field->descriptor : NULL;
	return type ? type->short_name : "";
}

int notices_decide(const struct notice_question *question, struct av_arena *arena,
	struct notice_decision **ret_decisions, size_t *ret_count, bool *ret_matched)
{
	const Avvik__V1__Event *event = question->event;
	bool incomplete = question->after->state == INCOMPLETE;
	bool completed = question->before && question->before->state == INCOMPLETE && !incomplete;
	struct deciding d = {.q = question,
		.arena = arena,
		.event = event_name(event),
		.rung = event->body_case == EVENT(RUNG_FIRED) ? event->rung_fired : NULL,
		.unit = notice_unit(question->org, question->after->unit),
		.unplaced = !av_org_unit(question->org, question->after->unit),
		.incomplete = incomplete,
		.reporter_only = incomplete && event->body_case == EVENT(CASE_OPENED)};

	int status = match(&d);
	if (status == AV_OK && d.rung && !d.matched)
		status = match_bare_rung(&d);
	if (status == AV_OK && completed) {
		d.event = "CaseOpened";
		d.skip_reporter = event->body_case != EVENT(REPORTER_NAMED);
		status = match(&d);
	}
	if (status == AV_OK) {
		*ret_decisions = d.decisions;
		*ret_count = d.count;
		*ret_matched = d.matched;
	}
	return status;
}
