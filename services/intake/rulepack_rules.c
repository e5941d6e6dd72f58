/* rulepack_rules.c - see rulepack_rules.h; deadlines stand in rulepack_deadlines.c.
 *
 * What the rule pack names must exist: roles and categories in the pack itself, events and acts in the
 * messages. Each rung must have a row that tells of it, and each act somebody who may.
 */
#include "rulepack_rules.h"

#include <string.h>
#include "avvik/v1/case.pb-c.h"
#include "avvik/v1/directory.pb-c.h"
#include "avvik/v1/envelope.pb-c.h"
#include "code_text.h"

#define CODE(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define LAST_MINUTE 1440

/* The acts besides those of ActOnCase: orders of their own. */
static const char *const other_acts[] = {"read_content", "erase_content"};

struct check {
	const Avvik__V1__RulePack *rules;
	struct av_arena *arena;
	struct av_faults *faults;
};

static bool is_code_of(Avvik__V1__Code *const *codes, size_t count, const char *code)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(codes[i]->code, code) == 0)
			return true;
	return false;
}

static void check_codes(const struct check *check, const char *list, Avvik__V1__Code **codes, size_t count)
{
	struct text_set seen = text_set_create(count, check->arena);
	if (!seen.texts)
		return;
	for (size_t i = 0; i < count; i++) {
		if (!text_set_add(&seen, codes[i]->code))
			av_fault(check->faults, CODE(DUPLICATE),
				path_of(check->faults, "%s[%zu].code", list, i),
				"is there twice: give each code once");
		if (text_is_blank(codes[i]->name))
			av_fault(check->faults, CODE(REQUIRED),
				path_of(check->faults, "%s[%zu].name", list, i),
				"is missing: give the name that people read");
	}
}

static void check_lists(const struct check *check)
{
	const Avvik__V1__RulePack *rules = check->rules;
	const struct {
		const char *name;
		Avvik__V1__Code **codes;
		size_t count;
		bool needed;
	} lists[] = {
		{"roles", rules->roles, rules->n_roles, true},
		{"categories", rules->categories, rules->n_categories, true},
		{"cause_areas", rules->cause_areas, rules->n_cause_areas, false},
		{"areas", rules->areas, rules->n_areas, false},
		{"activities", rules->activities, rules->n_activities, false},
		{"purposes", rules->purposes, rules->n_purposes, true},
		{"erasure_reasons", rules->erasure_reasons, rules->n_erasure_reasons, true},
		{"stop_reasons", rules->stop_reasons, rules->n_stop_reasons, false},
	};
	for (size_t i = 0; i < AV_COUNT(lists); i++) {
		if (lists[i].needed && lists[i].count == 0)
			av_fault(check->faults, CODE(REQUIRED), lists[i].name,
				"are missing: give at least one");
		check_codes(check, lists[i].name, lists[i].codes, lists[i].count);
	}
	for (size_t i = 0; i < rules->n_roles; i++)
		if (strcmp(rules->roles[i]->code, "reporter") == 0 ||
			strcmp(rules->roles[i]->code, "actor") == 0 ||
			strcmp(rules->roles[i]->code, "responsible") == 0)
			av_fault(check->faults, CODE(CONTRADICTION),
				path_of(check->faults, "roles[%zu].code", i),
				"is a word of its own in recipients: give the role another code");
}

static void check_categories(const struct check *check)
{
	const Avvik__V1__RulePack *rules = check->rules;
	for (size_t i = 0; i < rules->n_categories; i++) {
		const char *parent = rules->categories[i]->parent;
		const char *path = path_of(check->faults, "categories[%zu].parent", i);
		if (!*parent)
			continue;
		if (!is_code_of(rules->categories, rules->n_categories, parent)) {
			av_fault(check->faults, CODE(UNKNOWN_REFERENCE), path,
				"is not a category of this pack: add it, or correct the code");
			continue;
		}
		for (size_t p = 0; p < rules->n_categories; p++)
			if (strcmp(rules->categories[p]->code, parent) == 0 &&
				*rules->categories[p]->parent) {
				av_fault(check->faults, CODE(CONTRADICTION), path,
					"is itself a subcategory: there are two levels; give the category "
					"above it");
				break;
			}
	}
}

void rulepack_check_recipient(const Avvik__V1__RulePack *rules, const Avvik__V1__Recipient *recipient,
	bool has_responsible, const char *path, struct av_faults *faults)
{
	static const char *const levels[] = {"unit", "department", "administration", "committee"};
	bool known_level = !*recipient->from_level;
	bool special = strcmp(recipient->role, "reporter") == 0 || strcmp(recipient->role, "actor") == 0 ||
		       strcmp(recipient->role, "responsible") == 0;
	if (!special && !is_code_of(rules->roles, rules->n_roles, recipient->role))
		av_fault(faults, CODE(UNKNOWN_REFERENCE), path_of(faults, "%s.role", path),
			"is not a role of this pack, nor reporter, responsible or actor: add it to `roles`, "
			"or correct it");
	if (strcmp(recipient->role, "responsible") == 0 && !has_responsible)
		av_fault(faults, CODE(CONTRADICTION), path_of(faults, "%s.role", path),
			"is of a measure or of an investigation, and this is of neither: name a role");
	for (size_t i = 0; i < AV_COUNT(levels); i++)
		known_level |= strcmp(levels[i], recipient->from_level) == 0;
	if (!known_level)
		av_fault(faults, CODE(UNKNOWN_VALUE), path_of(faults, "%s.from_level", path),
			"is not a level: give unit, department, administration or committee");
	else if (special && *recipient->from_level)
		av_fault(faults, CODE(CONTRADICTION), path_of(faults, "%s.from_level", path),
			"is for roles, which are looked for upwards: remove it");
	if (special && recipient->assigned)
		av_fault(faults, CODE(CONTRADICTION), path_of(faults, "%s.assigned", path),
			"is for a role whose holders are told while nobody investigates: remove it");
}

static bool is_deadline(const Avvik__V1__RulePack *rules, const char *id)
{
	for (size_t i = 0; i < rules->n_deadlines; i++)
		if (strcmp(rules->deadlines[i]->id, id) == 0)
			return true;
	return false;
}

static bool per_measure(const Avvik__V1__RulePack *rules, const char *deadline)
{
	for (size_t i = 0; i < rules->n_deadlines; i++)
		if (rules->deadlines[i]->per_measure &&
			(!*deadline || strcmp(rules->deadlines[i]->id, deadline) == 0))
			return true;
	return false;
}

/* Of a measure it is who has it, otherwise who investigates: so not before somebody does. */
static bool has_responsible_person(const char *event)
{
	static const char *const events[] = {"CaseAssessedInitially", "EntryRecorded",
		"InvestigationCompleted", "CaseDecided", "InvestigationHandedIn", "NoMeasuresDecided",
		"CaseReconsidered", "CaseReopened", "CaseTakenForReview", "CompletionAnswered",
		"InquiryBegun", "RiskAssessed", "InquiryCompleted"};
	for (size_t i = 0; i < AV_COUNT(events); i++)
		if (strcmp(events[i], event) == 0)
			return true;
	return strncmp(event, "Measure", strlen("Measure")) == 0 || strcmp(event, "ProposalDecided") == 0 ||
	       strcmp(event, "EffectJudged") == 0;
}

static void check_notice(const struct check *check, size_t i)
{
	const Avvik__V1__NoticeRule *notice = check->rules->notices[i];
	struct av_faults *faults = check->faults;
	bool rung = strcmp(notice->event, "RungFired") == 0;
	bool has_responsible =
		rung ? per_measure(check->rules, notice->deadline) : has_responsible_person(notice->event);
	if (!av_body_field_by_type(&avvik__v1__event__descriptor, notice->event))
		av_fault(faults, CODE(UNKNOWN_REFERENCE), path_of(faults, "notices[%zu].event", i),
			"is not an event: give a name of the catalogue, such as CaseOpened");
	if (*notice->deadline && !rung)
		av_fault(faults, CODE(CONTRADICTION), path_of(faults, "notices[%zu].deadline", i),
			"is for RungFired only: remove it, or correct the event");
	else if (*notice->deadline && !is_deadline(check->rules, notice->deadline))
		av_fault(faults, CODE(UNKNOWN_REFERENCE), path_of(faults, "notices[%zu].deadline", i),
			"is not a deadline of this pack: add it, or correct the id");
	if (notice->n_rungs && !rung)
		av_fault(faults, CODE(CONTRADICTION), path_of(faults, "notices[%zu].rungs", i),
			"are for RungFired only: remove them, or correct the event");
	if (notice->n_to == 0 && !rung)
		av_fault(faults, CODE(REQUIRED), path_of(faults, "notices[%zu].to", i),
			"is missing: name at least one recipient");
	if (text_is_blank(notice->template_))
		av_fault(faults, CODE(REQUIRED), path_of(faults, "notices[%zu].template", i),
			"is missing: name a file of the template folder, without ending");
	if (notice->kind == AVVIK__V1__NOTICE_KIND__NOTICE_KIND_UNSPECIFIED)
		av_fault(faults, CODE(REQUIRED), path_of(faults, "notices[%zu].kind", i),
			"is missing: give task, information, exists, acknowledgement, feedback or statutory");
	for (size_t r = 0; r < notice->n_to; r++)
		rulepack_check_recipient(check->rules, notice->to[r], has_responsible,
			path_of(faults, "notices[%zu].to[%zu]", i, r), faults);
	for (size_t o = 0; o < notice->n_operations; o++) {
		int value;
		if (av_enum_value(&avvik__v1__operation__descriptor, notice->operations[o], &value) < 0 ||
			value == 0)
			av_fault(faults, CODE(UNKNOWN_VALUE),
				path_of(faults, "notices[%zu].operations[%zu]", i, o),
				"is not a form of operation: give own, in_house_contract, contracted or "
				"private");
	}
}

static void check_operations(const struct check *check)
{
	const Avvik__V1__RulePack *rules = check->rules;
	for (size_t i = 0; i < rules->n_information_operations; i++) {
		int value;
		if (av_enum_value(&avvik__v1__operation__descriptor, rules->information_operations[i],
			    &value) < 0 ||
			value == 0)
			av_fault(check->faults, CODE(UNKNOWN_VALUE),
				path_of(check->faults, "information_operations[%zu]", i),
				"is not a form of operation: give contracted or private");
	}
}

static void check_notices(const struct check *check)
{
	struct text_set seen = text_set_create(check->rules->n_notices, check->arena);
	for (size_t i = 0; seen.texts && i < check->rules->n_notices; i++) {
		if (!text_set_add(&seen, check->rules->notices[i]->id))
			av_fault(check->faults, CODE(DUPLICATE), path_of(check->faults, "notices[%zu].id", i),
				"is there twice: give each row an id of its own");
		check_notice(check, i);
	}
}

/* Is the act a member of ActOnCase's oneof, or one of the others? */
static bool is_act(const char *name)
{
	const ProtobufCMessageDescriptor *type = &avvik__v1__act_on_case__descriptor;
	for (size_t i = 0; i < AV_COUNT(other_acts); i++)
		if (strcmp(other_acts[i], name) == 0)
			return true;
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(type, name);
	return field && (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF);
}

static bool has_act(const Avvik__V1__RulePack *rules, const char *name)
{
	for (size_t i = 0; i < rules->n_acts; i++)
		if (strcmp(rules->acts[i]->act, name) == 0 && rules->acts[i]->n_roles > 0)
			return true;
	return false;
}

static bool share_kind(const Avvik__V1__ActRule *a, const Avvik__V1__ActRule *b)
{
	for (size_t i = 0; i < a->n_kinds; i++)
		for (size_t k = 0; k < b->n_kinds; k++)
			if (a->kinds[i] == b->kinds[k])
				return true;
	return a->n_kinds == 0 || b->n_kinds == 0;
}

static bool share_law(const Avvik__V1__ActRule *a, const Avvik__V1__ActRule *b)
{
	for (size_t i = 0; i < a->n_laws; i++)
		for (size_t k = 0; k < b->n_laws; k++)
			if (a->laws[i] == b->laws[k])
				return true;
	return a->n_laws == 0 || b->n_laws == 0;
}

static void check_acts(const struct check *check)
{
	const Avvik__V1__RulePack *rules = check->rules;
	const ProtobufCMessageDescriptor *type = &avvik__v1__act_on_case__descriptor;
	struct av_faults *faults = check->faults;
	for (size_t i = 0; i < rules->n_acts; i++) {
		const Avvik__V1__ActRule *act = rules->acts[i];
		if (!is_act(act->act))
			av_fault(faults, CODE(UNKNOWN_REFERENCE), path_of(faults, "acts[%zu].act", i),
				"is not an act: give a name of ActOnCase, or read_content or erase_content");
		if (act->n_roles == 0)
			av_fault(faults, CODE(REQUIRED), path_of(faults, "acts[%zu].roles", i),
				"are missing: name the roles that may do it");
		for (size_t r = 0; r < act->n_roles; r++)
			if (!is_code_of(rules->roles, rules->n_roles, act->roles[r]))
				av_fault(faults, CODE(UNKNOWN_REFERENCE),
					path_of(faults, "acts[%zu].roles[%zu]", i, r),
					"is not a role of this pack: add it to `roles`, or correct the code");
		for (size_t other = 0; other < i; other++)
			if (strcmp(rules->acts[other]->act, act->act) == 0 &&
				rules->acts[other]->judge == act->judge &&
				share_law(rules->acts[other], act) && share_kind(rules->acts[other], act)) {
				av_fault(faults, CODE(DUPLICATE), path_of(faults, "acts[%zu]", i),
					"is given by acts[%zu] already: put the roles in one row", other);
				break;
			}
	}
	for (unsigned f = 0; f < type->n_fields; f++)
		if ((type->fields[f].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
			!has_act(rules, type->fields[f].name))
			av_fault(faults, CODE(REQUIRED), "acts",
				"have no row for `%s`, so that nobody may do it: name the roles that may",
				type->fields[f].name);
	for (size_t i = 0; i < AV_COUNT(other_acts); i++)
		if (!has_act(rules, other_acts[i]))
			av_fault(faults, CODE(REQUIRED), "acts",
				"have no row for `%s`, so that nobody may do it: name the roles that may",
				other_acts[i]);
}

static void check_risk(const struct check *check)
{
	const Avvik__V1__RiskScale *risk = check->rules->risk;
	struct av_faults *faults = check->faults;
	if (!risk) {
		av_fault(faults, CODE(REQUIRED), "risk",
			"is missing: give the scale by which risks are assessed");
		return;
	}
	check_codes(check, "risk.probabilities", risk->probabilities, risk->n_probabilities);
	check_codes(check, "risk.severities", risk->severities, risk->n_severities);
	if (risk->n_probabilities != risk->size)
		av_fault(faults, CODE(CONTRADICTION), "risk.probabilities",
			"are %zu: the scale's size is %u, give as many", risk->n_probabilities, risk->size);
	if (risk->n_severities != risk->size)
		av_fault(faults, CODE(CONTRADICTION), "risk.severities",
			"are %zu: the scale's size is %u, give as many", risk->n_severities, risk->size);
	if (risk->lex_sarah_product > risk->size * risk->size)
		av_fault(faults, CODE(OUT_OF_RANGE), "risk.lex_sarah_product",
			"cannot be reached: probability times severity is at most %u",
			risk->size * risk->size);
	if (risk->lex_sarah_severity > risk->size)
		av_fault(faults, CODE(OUT_OF_RANGE), "risk.lex_sarah_severity",
			"cannot be reached: the severest is %u", risk->size);
}

static void check_references(const struct check *check)
{
	const Avvik__V1__RulePack *rules = check->rules;
	for (size_t i = 0; i < rules->n_references; i++) {
		if (rules->references[i]->law == AVVIK__V1__LAW__LAW_UNSPECIFIED)
			av_fault(check->faults, CODE(REQUIRED),
				path_of(check->faults, "references[%zu].law", i),
				"is missing: give sol, lss, hsl, lvu or lvm");
		for (size_t other = 0; other < i; other++)
			if (rules->references[other]->law == rules->references[i]->law &&
				strcmp(rules->references[other]->id, rules->references[i]->id) == 0) {
				av_fault(check->faults, CODE(DUPLICATE),
					path_of(check->faults, "references[%zu]", i),
					"is given by references[%zu] already: keep one for each id and law",
					other);
				break;
			}
	}
}

static void check_hours(const struct check *check)
{
	const Avvik__V1__RulePack *rules = check->rules;
	struct av_faults *faults = check->faults;
	if (rules->office_hours && (rules->office_hours->from_minute >= rules->office_hours->to_minute ||
					   rules->office_hours->to_minute > LAST_MINUTE))
		av_fault(faults, CODE(OUT_OF_RANGE), "office_hours",
			"do not end after they begin: give minutes of the day, as 480 and 1020");
	if (rules->quiet_hours && rules->quiet_hours->from_minute == rules->quiet_hours->to_minute &&
		rules->quiet_hours->from_minute != 0)
		av_fault(faults, CODE(OUT_OF_RANGE), "quiet_hours",
			"have no length: give evening and morning as minutes of the day, or 0 and 0 for "
			"none");
	if (rules->quiet_hours && (rules->quiet_hours->from_minute >= LAST_MINUTE ||
					  rules->quiet_hours->to_minute >= LAST_MINUTE))
		av_fault(faults, CODE(OUT_OF_RANGE), "quiet_hours",
			"are not minutes of a day: give 0 to 1439");
	for (size_t i = 1; i < rules->n_closures_on; i++)
		if (rules->closures_on[i] <= rules->closures_on[i - 1])
			av_fault(faults, CODE(CONTRADICTION), path_of(faults, "closures_on[%zu]", i),
				"is not after the one before: give the days in order, each once");
}

int rulepack_check(const Avvik__V1__RulePack *rules, struct av_arena *arena, struct av_faults *faults)
{
	const struct check check = {rules, arena, faults};
	size_t before = faults->count;
	if (rules->valid_from_on == 0)
		av_fault(faults, CODE(REQUIRED), "valid_from_on",
			"is missing: give the day from which it holds");
	if (rules->valid_until_on != 0 && rules->valid_until_on < rules->valid_from_on)
		av_fault(faults, CODE(CONTRADICTION), "valid_until_on",
			"is before valid_from_on: give the last day, or leave it out");
	check_lists(&check);
	check_categories(&check);
	rulepack_check_deadlines(rules, arena, faults);
	check_operations(&check);
	check_notices(&check);
	check_acts(&check);
	check_risk(&check);
	check_references(&check);
	check_hours(&check);
	if (av_arena_failed(arena))
		return AV_MEMORY;
	return faults->count == before ? AV_OK : AV_INVALID;
}

size_t rulepack_on(const struct rulepack_days *published, size_t count, av_day day)
{
	for (size_t i = count; i-- > 0;)
		if (published[i].from <= day && (published[i].until == 0 || day <= published[i].until))
			return i;
	return count;
}

/* Of those that begin on the same day, the one published last: it took the other's place. */
static const struct rulepack_days *farthest(const struct rulepack_days *published, size_t count, bool last)
{
	const struct rulepack_days *found = count ? &published[0] : NULL;
	for (size_t i = 1; i < count; i++)
		if (last ? published[i].from >= found->from : published[i].from <= found->from)
			found = &published[i];
	return found;
}

/* One for days that had no rules: the cases received then wait for it. It ends where the first begins, so that
 * no day gets other rules than those its cases were opened under. */
static void check_before_first(
	const Avvik__V1__RulePack *rules, const struct rulepack_days *first, struct av_faults *faults)
{
	char on[AV_DATE_TEXT], until[AV_DATE_TEXT];
	if (rules->valid_until_on == first->from - 1)
		return;
	av_day_text(first->from, on);
	av_day_text(first->from - 1, until);
	av_fault(faults, CODE(CONTRADICTION), "valid_from_on",
		"is before %s, when the first pack %s begins: a pack for the days before it has "
		"valid_until_on %s",
		on, first->version, until);
}

void rulepack_check_days(const Avvik__V1__RulePack *rules, const struct rulepack_days *published,
	size_t count, struct av_faults *faults)
{
	const struct rulepack_days *first = farthest(published, count, false);
	const struct rulepack_days *last = farthest(published, count, true);
	char on[AV_DATE_TEXT];
	if (!last || rules->valid_from_on == 0)
		return;
	if (rules->valid_from_on < first->from) {
		check_before_first(rules, first, faults);
		return;
	}
	av_day_text(last->from, on);
	if (rules->valid_from_on < last->from) {
		av_fault(faults, CODE(CONTRADICTION), "valid_from_on",
			"is before %s, when the pack %s begins: a later pack holds from that day or later",
			on, last->version);
		return;
	}
	/* From the same day it takes its place; an open end is where the next begins. */
	if (last->until != 0 && rules->valid_from_on > last->from && rules->valid_from_on <= last->until) {
		av_day_text(last->until + 1, on);
		av_fault(faults, CODE(CONTRADICTION), "valid_from_on",
			"is before the end of the pack %s: begin on %s", last->version, on);
	}
	if (rulepack_on(published, count, rules->valid_from_on - 1) == count &&
		rules->valid_from_on > last->from) {
		av_day_text(last->until + 1, on);
		av_fault(faults, CODE(CONTRADICTION), "valid_from_on",
			"leaves days without rules after the pack %s: begin on %s", last->version, on);
	}
}
