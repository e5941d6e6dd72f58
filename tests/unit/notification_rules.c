/* notification_rules.c - who is told what: the matrix, quiet hours, the schedule of attempts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/macros.h"
#include "base/status.h"
#include "case_facts.h"
#include "notice_rules.h"

#define STATE(name) AVVIK__V1__CASE_STATE__CASE_STATE_##name
#define KIND(name) AVVIK__V1__NOTICE_KIND__NOTICE_KIND_##name
#define LEVEL(name) AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_##name
#define LEX_SARAH AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH
#define DEVIATION AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION
#define EVENT(name) AVVIK__V1__EVENT__BODY_##name

static unsigned char case_bytes[16] = {1}, event_bytes[16] = {2}, measure_bytes[16] = {3};
static struct av_arena *arena;

/* --- a small town --- */

static Avvik__V1__Unit units[4];
static Avvik__V1__Person people[8];
static Avvik__V1__RoleHeld held[8];
static Avvik__V1__RoleHeld *held_lists[8][1];
static Avvik__V1__Deputy anna_away = AVVIK__V1__DEPUTY__INIT;
static Avvik__V1__Deputy *anna_deputies[1] = {&anna_away};
static Avvik__V1__Unit *unit_list[4];
static Avvik__V1__Person *person_list[8];
static Avvik__V1__Directory town = AVVIK__V1__DIRECTORY__INIT;
static size_t person_count;

static void add_unit(size_t i, const char *code, const char *parent, Avvik__V1__UnitLevel level)
{
	avvik__v1__unit__init(&units[i]);
	units[i].code = (char *)code;
	units[i].parent = (char *)parent;
	units[i].level = level;
	units[i].operation = AVVIK__V1__OPERATION__OPERATION_OWN;
	unit_list[i] = &units[i];
}

static void add_person(const char *id, const char *role, const char *unit)
{
	size_t i = person_count++;
	avvik__v1__person__init(&people[i]);
	avvik__v1__role_held__init(&held[i]);
	people[i].id = (char *)id;
	held[i].role = (char *)role;
	held[i].unit = (char *)unit;
	held_lists[i][0] = &held[i];
	people[i].n_roles = 1;
	people[i].roles = held_lists[i];
	person_list[i] = &people[i];
}

static const struct av_org *town_make(void)
{
	person_count = 0;
	add_unit(0, "namnden", "", LEVEL(COMMITTEE));
	add_unit(1, "forvaltningen", "namnden", LEVEL(ADMINISTRATION));
	add_unit(2, "aldre", "forvaltningen", LEVEL(DEPARTMENT));
	add_unit(3, "solen", "aldre", LEVEL(UNIT));
	add_person("anna", "EC", "solen");
	add_person("bo", "BITR", "solen");
	add_person("cia", "AC", "aldre");
	add_person("dan", "SAS", "forvaltningen");
	add_person("eva", "SAS", "forvaltningen");
	town.n_units = 4;
	town.units = unit_list;
	town.n_people = person_count;
	town.people = person_list;
	return av_org_create(&town, arena);
}

/* --- questions --- */

static Avvik__V1__Recipient recipients[8];
static Avvik__V1__Recipient *recipient_list[8];
static Avvik__V1__NoticeRule rules[4];
static Avvik__V1__NoticeRule *rule_list[4];
static Avvik__V1__RulePack pack;
static size_t recipient_count;

static void pack_clear(void)
{
	avvik__v1__rule_pack__init(&pack);
	pack.notices = rule_list;
	recipient_count = 0;
}

/* to: "EC" or "AC@department", separated by spaces. */
static Avvik__V1__NoticeRule *rule(
	const char *id, const char *event, const char *to, Avvik__V1__NoticeKind kind)
{
	size_t i = pack.n_notices++;
	avvik__v1__notice_rule__init(&rules[i]);
	rules[i].id = (char *)id;
	rules[i].event = (char *)event;
	rules[i].kind = kind;
	rules[i].template_ = (char *)"some";
	rules[i].to = &recipient_list[recipient_count];
	rule_list[i] = &rules[i];
	while (*to) {
		size_t size = strcspn(to, " "), role = strcspn(to, " @");
		Avvik__V1__Recipient *one = &recipients[recipient_count];
		avvik__v1__recipient__init(one);
		one->role = av_arena_printf(arena, "%.*s", (int)role, to);
		if (role < size)
			one->from_level =
				av_arena_printf(arena, "%.*s", (int)(size - role - 1), to + role + 1);
		recipient_list[recipient_count++] = one;
		rules[i].n_to++;
		to += size + (to[size] == ' ');
	}
	return &rules[i];
}

static Avvik__V1__CaseKnown known(Avvik__V1__CaseKind kind, Avvik__V1__CaseState state, const char *unit)
{
	Avvik__V1__CaseKnown found = AVVIK__V1__CASE_KNOWN__INIT;
	found.case_id = (ProtobufCBinaryData){16, case_bytes};
	found.kind = kind;
	found.state = state;
	found.unit = (char *)unit;
	found.number = (char *)"2026-0042";
	return found;
}

static Avvik__V1__Event event_of(int number, void *body)
{
	Avvik__V1__Event event = AVVIK__V1__EVENT__INIT;
	event.event_id = (ProtobufCBinaryData){16, event_bytes};
	event.case_id = (ProtobufCBinaryData){16, case_bytes};
	event.body_case = (Avvik__V1__Event__BodyCase)number;
	event.case_opened = body; /* members of one union */
	return event;
}

/* Who is told, as "N1:anna N1:dan(EC absent)…"; those that reach nobody as "N1:!why". */
static const char *told(const struct notice_question *question)
{
	struct notice_decision *decisions = NULL;
	size_t count = 0;
	bool matched;
	char *text = av_arena_strdup(arena, "");

	assert_int_equal(notices_decide(question, arena, &decisions, &count, &matched), AV_OK);
	for (size_t i = 0; i < count; i++) {
		const struct notice_decision *d = &decisions[i];
		const char *who = !d->person   ? av_arena_printf(arena, "!%s", d->why)
				  : *d->person ? d->person
					       : "reporter";
		text = av_arena_printf(arena, "%s%s%s:%s%s%s", text, i ? " " : "", d->rule, who,
			d->deputy_for ? "/" : "", d->deputy_for ? d->deputy_for : "");
	}
	return text;
}

static struct notice_question question(
	const Avvik__V1__Event *event, const Avvik__V1__CaseKnown *before, const Avvik__V1__CaseKnown *after)
{
	return (struct notice_question){.event = event,
		.before = before,
		.after = after,
		.pack = &pack,
		.org = town_make(),
		.reporter_has_mail = true,
		.now_ms = av_local_instant(20550, 10 * 3600000)};
}

static void want(const char *what, const struct notice_question *q, const char *want_told)
{
	const char *got = told(q);
	if (strcmp(got, want_told) != 0)
		fail_msg("%s: got \"%s\", want \"%s\"", what, got, want_told);
}

static int start(void **state)
{
	(void)state;
	arena = av_arena_create(0);
	pack_clear();
	avvik__v1__deputy__init(&anna_away);
	return arena ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	av_arena_destroy(&arena);
	return 0;
}

/* --- the matrix --- */

static void a_rule_speaks_only_of_its_event_kind_degree_law_and_operation(void **state)
{
	(void)state;
	Avvik__V1__CaseKind kinds[] = {LEX_SARAH};
	Avvik__V1__Degree degrees[] = {AVVIK__V1__DEGREE__DEGREE_SERIOUS};
	Avvik__V1__Law laws[] = {AVVIK__V1__LAW__LAW_HSL}, sol[] = {AVVIK__V1__LAW__LAW_SOL};
	char *private[] = {(char *)"private", (char *)"contracted"};
	Avvik__V1__CaseOpened opened = AVVIK__V1__CASE_OPENED__INIT;
	Avvik__V1__Event event = event_of(EVENT(CASE_OPENED), &opened);
	Avvik__V1__CaseKnown after = known(LEX_SARAH, STATE(RECEIVED), "solen");
	Avvik__V1__NoticeRule *r = rule("N1", "CaseOpened", "EC", KIND(TASK));
	struct notice_question q = question(&event, NULL, &after);

	want("no filter", &q, "N1:anna");
	r->event = (char *)"CaseClosed";
	want("another event", &q, "");
	r->event = (char *)"CaseOpened";
	r->n_kinds = 1, r->kinds = kinds;
	want("its kind", &q, "N1:anna");
	after.kind = DEVIATION;
	want("another kind", &q, "");
	after.kind = LEX_SARAH;
	r->n_degrees = 1, r->degrees = degrees;
	want("no degree yet", &q, "");
	after.degree = AVVIK__V1__DEGREE__DEGREE_SERIOUS;
	want("its degree", &q, "N1:anna");
	r->n_laws = 1, r->laws = laws;
	want("no law", &q, "");
	after.n_laws = 1, after.laws = sol;
	want("another law", &q, "");
	after.laws = laws;
	want("its law", &q, "N1:anna");
	r->n_operations = 2, r->operations = private;
	want("another operation", &q, "");
	units[3].operation = AVVIK__V1__OPERATION__OPERATION_CONTRACTED;
	want("its operation", &q, "N1:anna");
}

static void people_are_found_upwards_from_the_unit_or_from_a_level(void **state)
{
	(void)state;
	static const struct {
		const char *to, *want;
	} rows[] = {
		{"EC", "N1:anna"},
		{"AC", "N1:cia"},
		{"SAS", "N1:dan N1:eva"},
		{"AC@department", "N1:cia"},
		{"EC@department", "N1:!no_holder"},
		{"FC", "N1:!no_holder"},
		{"EC EC SAS", "N1:anna N1:dan N1:eva"},
		{"responsible", "N1:!no_responsible"},
		{"actor", "N1:!no_actor"},
		{"reporter EC", "N1:reporter N1:anna"},
	};
	Avvik__V1__CaseOpened opened = AVVIK__V1__CASE_OPENED__INIT;
	Avvik__V1__Event event = event_of(EVENT(CASE_OPENED), &opened);
	Avvik__V1__CaseKnown after = known(LEX_SARAH, STATE(RECEIVED), "solen");

	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		pack_clear();
		rule("N1", "CaseOpened", rows[i].to, KIND(TASK));
		struct notice_question q = question(&event, NULL, &after);
		want(rows[i].to, &q, rows[i].want);
	}
}

static void the_one_responsible_for_an_assessed_case_investigates_it_if_anybody_does(void **state)
{
	(void)state;
	Avvik__V1__CaseAssessedInitially assessed = AVVIK__V1__CASE_ASSESSED_INITIALLY__INIT;
	Avvik__V1__Event event = event_of(EVENT(CASE_ASSESSED_INITIALLY), &assessed);
	Avvik__V1__CaseKnown after = known(LEX_SARAH, STATE(INVESTIGATION), "solen");

	rule("N1", "CaseAssessedInitially", "responsible", KIND(TASK));
	struct notice_question q = question(&event, &after, &after);
	want("a recorded position", &q, "");
	assessed.investigate = true;
	want("an investigation without a person", &q, "N1:!no_responsible");
	after.investigator = (char *)"bo";
	want("an investigation", &q, "N1:bo");
}

static void what_is_for_the_one_assigned_goes_to_who_investigates_else_to_the_roles_holders(void **state)
{
	(void)state;
	Avvik__V1__RungFired fired = AVVIK__V1__RUNG_FIRED__INIT;
	Avvik__V1__Event event = event_of(EVENT(RUNG_FIRED), &fired);
	Avvik__V1__CaseKnown after = known(LEX_SARAH, STATE(INVESTIGATION), "solen");
	struct notice_question q = question(&event, &after, &after);

	rule("N1", "RungFired", "SAS", KIND(TASK));
	after.investigator = (char *)"anna";
	want("to the role", &q, "N1:dan N1:eva");
	recipients[0].assigned = true;
	want("assigned", &q, "N1:anna");
	after.unit = (char *)"gone";
	want("assigned, and the unit is gone", &q, "N1:anna");
	after.unit = (char *)"solen";
	after.kind = DEVIATION;
	want("a deviation is not assigned", &q, "N1:dan N1:eva");
	after.kind = LEX_SARAH;
	after.investigator = (char *)"nobody.known";
	want("to somebody who is gone", &q, "N1:dan N1:eva");
	after.investigator = (char *)"";
	want("not yet", &q, "N1:dan N1:eva");
	after.investigator = (char *)"anna";
	anna_away.person = (char *)"bo";
	anna_away.from_on = 20540;
	anna_away.until_on = 20560;
	people[0].n_deputies = 1;
	people[0].deputies = anna_deputies;
	q.org = av_org_create(&town, arena);
	want("absent", &q, "N1:bo/anna");
}

static void a_task_for_someone_absent_goes_to_the_deputy(void **state)
{
	(void)state;
	Avvik__V1__CaseOpened opened = AVVIK__V1__CASE_OPENED__INIT;
	Avvik__V1__Event event = event_of(EVENT(CASE_OPENED), &opened);
	Avvik__V1__CaseKnown after = known(DEVIATION, STATE(RECEIVED), "solen");

	rule("N1", "CaseOpened", "EC", KIND(TASK));
	struct notice_question q = question(&event, NULL, &after);
	anna_away.person = (char *)"bo";
	anna_away.from_on = 20540;
	anna_away.until_on = 20560;
	people[0].n_deputies = 1;
	people[0].deputies = anna_deputies;
	q.org = av_org_create(&town, arena);
	want("absent", &q, "N1:bo/anna");
	q.now_ms = av_local_instant(20561, 0);
	want("back again", &q, "N1:anna");
	people[0].n_deputies = 0;
}

static void a_copy_does_not_go_to_the_one_who_acted_but_a_task_does(void **state)
{
	(void)state;
	Avvik__V1__Actor actor = AVVIK__V1__ACTOR__INIT;
	Avvik__V1__CaseDecided decided = AVVIK__V1__CASE_DECIDED__INIT;
	Avvik__V1__Event event = event_of(EVENT(CASE_DECIDED), &decided);
	Avvik__V1__CaseKnown before = known(LEX_SARAH, STATE(ASSESSMENT), "solen");

	actor.person = (char *)"dan";
	event.actor = &actor;
	rule("N1", "CaseDecided", "SAS", KIND(INFORMATION));
	rule("N2", "CaseDecided", "SAS", KIND(EXISTS));
	rule("N3", "CaseDecided", "SAS", KIND(TASK));
	rule("N4", "CaseDecided", "actor", KIND(STATUTORY));
	struct notice_question q = question(&event, &before, &before);
	want("by dan", &q, "N1:eva N2:eva N3:dan N3:eva N4:dan");
}

static void after_the_end_only_feedback_goes_out(void **state)
{
	(void)state;
	Avvik__V1__CaseClosed closed = AVVIK__V1__CASE_CLOSED__INIT;
	Avvik__V1__MeasureEvaluated evaluated = AVVIK__V1__MEASURE_EVALUATED__INIT;
	Avvik__V1__Event end = event_of(EVENT(CASE_CLOSED), &closed);
	Avvik__V1__Event later = event_of(EVENT(MEASURE_EVALUATED), &evaluated);
	Avvik__V1__CaseKnown before = known(LEX_SARAH, STATE(FOLLOW_UP), "solen"), after = before;

	after.closed = true;
	after.state = STATE(CLOSED);
	rule("N1", "CaseClosed", "EC", KIND(INFORMATION));
	rule("N2", "CaseClosed", "reporter", KIND(FEEDBACK));
	rule("N3", "MeasureEvaluated", "EC", KIND(TASK));
	rule("N4", "MeasureEvaluated", "reporter", KIND(FEEDBACK));
	struct notice_question q = question(&end, &before, &after);
	want("the end itself", &q, "N1:anna N2:reporter");
	q = question(&later, &after, &after);
	want("after the end", &q, "N4:reporter");
}

static void an_incomplete_case_is_a_task_first_and_then_like_any_other(void **state)
{
	(void)state;
	Avvik__V1__CaseOpened opened = AVVIK__V1__CASE_OPENED__INIT;
	Avvik__V1__CasePlaced placed = AVVIK__V1__CASE_PLACED__INIT;
	Avvik__V1__ReporterNamed named = AVVIK__V1__REPORTER_NAMED__INIT;
	Avvik__V1__Event event = event_of(EVENT(CASE_OPENED), &opened);
	Avvik__V1__CaseKnown before = known(DEVIATION, STATE(INCOMPLETE), "nowhere");
	Avvik__V1__CaseKnown after = known(DEVIATION, STATE(RECEIVED), "solen");

	rule("N1", "CaseOpened", "EC", KIND(TASK));
	rule("N2", "CaseOpened", "reporter", KIND(ACKNOWLEDGEMENT));
	rule("N3", "CaseOpened", "SAS", KIND(TASK))->incomplete = true;
	struct notice_question q = question(&event, NULL, &before);
	want("opened, in a unit that is not known", &q, "N2:reporter N3:dan N3:eva");
	before.unit = (char *)"solen";
	want("opened, the reporter not named", &q, "N2:reporter N3:dan N3:eva");
	event = event_of(EVENT(CASE_PLACED), &placed);
	q = question(&event, &before, &after);
	want("placed", &q, "N1:anna");
	event = event_of(EVENT(REPORTER_NAMED), &named);
	q = question(&event, &before, &after);
	want("named", &q, "N1:anna N2:reporter");
	q.reporter_has_mail = false;
	want("named, without an address", &q, "N1:anna N2:!no_contact");
	q = question(&event, &after, &after);
	want("named again", &q, "");
}

static void a_case_whose_unit_is_gone_concerns_the_top_and_not_every_manager(void **state)
{
	(void)state;
	Avvik__V1__RungFired fired = AVVIK__V1__RUNG_FIRED__INIT;
	Avvik__V1__Event event = event_of(EVENT(RUNG_FIRED), &fired);
	Avvik__V1__CaseKnown after = known(LEX_SARAH, STATE(INVESTIGATION), "closed-down");

	rule("N1", "RungFired", "EC SAS", KIND(TASK));
	struct notice_question q = question(&event, &after, &after);
	want("the unit is gone", &q, "N1:!no_holder N1:dan N1:eva");
}

static void a_rung_tells_its_own_recipients_unless_the_rule_names_others(void **state)
{
	(void)state;
	Avvik__V1__Recipient to[2] = {AVVIK__V1__RECIPIENT__INIT, AVVIK__V1__RECIPIENT__INIT};
	Avvik__V1__Recipient *own[] = {&to[0], &to[1]};
	Avvik__V1__RungKind overdue[] = {AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE};
	Avvik__V1__RungFired fired = AVVIK__V1__RUNG_FIRED__INIT;
	Avvik__V1__Event event = event_of(EVENT(RUNG_FIRED), &fired);
	Avvik__V1__CaseKnown after = known(LEX_SARAH, STATE(MEASURES), "solen");

	to[0].role = (char *)"responsible";
	to[1].role = (char *)"AC";
	fired.rule = (char *)"D25";
	fired.kind = overdue[0];
	fired.responsible = (char *)"bo";
	fired.measure_id = (ProtobufCBinaryData){16, measure_bytes};
	fired.n_to = 2;
	fired.to = own;
	struct notice_question q = question(&event, &after, &after);
	want("no rule speaks of it", &q, "rung:bo rung:cia");
	Avvik__V1__NoticeRule *r = rule("N1", "RungFired", "", KIND(TASK));
	want("a rule without recipients", &q, "N1:bo N1:cia");
	r->deadline = (char *)"D5";
	want("a rule of another deadline", &q, "rung:bo rung:cia");
	r->deadline = (char *)"D25";
	r->n_rungs = 1, r->rungs = overdue;
	want("a rule of this rung", &q, "N1:bo N1:cia");
	fired.kind = AVVIK__V1__RUNG_KIND__RUNG_KIND_WARNING;
	want("a rule of another rung", &q, "rung:bo rung:cia");
	pack_clear();
	rule("N2", "RungFired", "SAS", KIND(TASK));
	want("a rule with recipients of its own", &q, "N2:dan N2:eva");
}

static void a_statutory_rung_breaks_through_the_quiet_hours_and_a_local_target_does_not(void **state)
{
	(void)state;
	Avvik__V1__QuietHours quiet = AVVIK__V1__QUIET_HOURS__INIT;
	Avvik__V1__RungFired fired = AVVIK__V1__RUNG_FIRED__INIT;
	Avvik__V1__Event event = event_of(EVENT(RUNG_FIRED), &fired);
	Avvik__V1__CaseKnown after = known(LEX_SARAH, STATE(INVESTIGATION), "solen");
	struct notice_decision *decisions;
	size_t count;
	bool matched;

	quiet.from_minute = 19 * 60;
	quiet.to_minute = 7 * 60;
	pack.quiet_hours = &quiet;
	rule("N1", "RungFired", "EC", KIND(TASK));
	struct notice_question q = question(&event, &after, &after);
	q.now_ms = av_local_instant(20550, 22 * 3600000);

	assert_int_equal(notices_decide(&q, arena, &decisions, &count, &matched), AV_OK);
	assert_int_equal(decisions[0].kind, KIND(TASK));
	assert_true(decisions[0].not_before_ms == av_local_instant(20551, 7 * 3600000));
	fired.statutory = true;
	assert_int_equal(notices_decide(&q, arena, &decisions, &count, &matched), AV_OK);
	assert_int_equal(decisions[0].kind, KIND(STATUTORY));
	assert_true(decisions[0].not_before_ms == q.now_ms);
	fired.statutory = false;
	rules[0].kind = KIND(STATUTORY);
	assert_int_equal(notices_decide(&q, arena, &decisions, &count, &matched), AV_OK);
	assert_int_equal(decisions[0].kind, KIND(TASK));
	fired.late = fired.statutory = true;
	assert_int_equal(notices_decide(&q, arena, &decisions, &count, &matched), AV_OK);
	assert_true(decisions[0].not_before_ms == q.now_ms + NOTICE_GATHER_MS);
}

/* --- quiet hours and attempts --- */

static void quiet_hours_end_the_next_morning_on_every_day_of_a_year(void **state)
{
	(void)state;
	Avvik__V1__QuietHours quiet = AVVIK__V1__QUIET_HOURS__INIT;
	const int hour = 3600000;

	assert_true(notice_after_quiet(NULL, 17) == 17);
	assert_true(notice_after_quiet(&quiet, 17) == 17);
	for (av_day day = 20454; day < 20454 + 366; day++) {
		quiet.from_minute = 19 * 60, quiet.to_minute = 7 * 60;
		assert_true(notice_after_quiet(&quiet, av_local_instant(day, 12 * hour)) ==
			    av_local_instant(day, 12 * hour));
		assert_true(notice_after_quiet(&quiet, av_local_instant(day, 19 * hour)) ==
			    av_local_instant(day + 1, 7 * hour));
		assert_true(notice_after_quiet(&quiet, av_local_instant(day, 23 * hour)) ==
			    av_local_instant(day + 1, 7 * hour));
		assert_true(notice_after_quiet(&quiet, av_local_instant(day, hour / 2)) ==
			    av_local_instant(day, 7 * hour));
		assert_true(notice_after_quiet(&quiet, av_local_instant(day, 7 * hour)) ==
			    av_local_instant(day, 7 * hour));
		quiet.from_minute = 12 * 60, quiet.to_minute = 13 * 60;
		assert_true(notice_after_quiet(&quiet, av_local_instant(day, 12 * hour)) ==
			    av_local_instant(day, 13 * hour));
		assert_true(notice_after_quiet(&quiet, av_local_instant(day, 14 * hour)) ==
			    av_local_instant(day, 14 * hour));
	}
}

static void attempts_grow_apart_and_last_about_a_day(void **state)
{
	(void)state;
	int64_t all = 0, before = 0;
	unsigned int attempts = 1;

	for (; notice_retry_ms(attempts) >= 0; attempts++) {
		int64_t wait = notice_retry_ms(attempts);
		if (wait < before)
			fail_msg("attempt %u waits %lld ms, less than the one before", attempts,
				(long long)wait);
		all += wait;
		before = wait;
	}
	assert_true(notice_retry_ms(1) <= 60000);
	assert_in_range((uint64_t)all / 3600000, 22, 26);
	assert_int_equal(attempts, 12);
	assert_true(notice_retry_ms(1000000) < 0);
}

/* --- facts --- */

static void facts_follow_the_events_of_a_case(void **state)
{
	(void)state;
	Avvik__V1__CaseOpened opened = AVVIK__V1__CASE_OPENED__INIT;
	Avvik__V1__MeasureDecided measure = AVVIK__V1__MEASURE_DECIDED__INIT;
	Avvik__V1__CaseDecided decided = AVVIK__V1__CASE_DECIDED__INIT;
	Avvik__V1__CaseRemedied remedied = AVVIK__V1__CASE_REMEDIED__INIT;
	Avvik__V1__CaseClosed closed = AVVIK__V1__CASE_CLOSED__INIT;
	Avvik__V1__Event event = event_of(EVENT(CASE_REMEDIED), &remedied);
	const Avvik__V1__CaseKnown *now = NULL, *then;

	assert_int_equal(case_after(NULL, &event, arena, &now), AV_NOT_FOUND);
	event = event_of(EVENT(CASE_OPENED), &opened);
	opened.kind = LEX_SARAH;
	opened.unit = (char *)"solen";
	opened.preliminary_degree = AVVIK__V1__DEGREE__DEGREE_RISK;
	assert_int_equal(case_after(NULL, &event, arena, &now), AV_OK);
	assert_string_equal(now->unit, "solen");
	then = now;
	assert_int_equal(case_after(then, &event, arena, &now), AV_NOTHING);
	assert_ptr_equal(now, then);
	event = event_of(EVENT(CASE_DECIDED), &decided);
	decided.degree = AVVIK__V1__DEGREE__DEGREE_SERIOUS;
	assert_int_equal(case_after(then, &event, arena, &now), AV_OK);
	assert_int_equal(now->degree, AVVIK__V1__DEGREE__DEGREE_SERIOUS);
	assert_int_equal(then->degree, AVVIK__V1__DEGREE__DEGREE_RISK); /* the one before is not touched */
	event = event_of(EVENT(MEASURE_DECIDED), &measure);
	measure.measure_id = (ProtobufCBinaryData){16, measure_bytes};
	measure.responsible = (char *)"bo";
	assert_int_equal(case_after(now, &event, arena, &now), AV_OK);
	assert_int_equal(now->n_measures, 1);
	assert_string_equal(now->measures[0]->responsible, "bo");
	event = event_of(EVENT(CASE_CLOSED), &closed);
	assert_int_equal(case_after(now, &event, arena, &now), AV_OK);
	assert_true(now->closed);
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_rule_speaks_only_of_its_event_kind_degree_law_and_operation),
		T(people_are_found_upwards_from_the_unit_or_from_a_level),
		T(the_one_responsible_for_an_assessed_case_investigates_it_if_anybody_does),
		T(what_is_for_the_one_assigned_goes_to_who_investigates_else_to_the_roles_holders),
		T(a_task_for_someone_absent_goes_to_the_deputy),
		T(a_copy_does_not_go_to_the_one_who_acted_but_a_task_does),
		T(after_the_end_only_feedback_goes_out),
		T(an_incomplete_case_is_a_task_first_and_then_like_any_other),
		T(a_case_whose_unit_is_gone_concerns_the_top_and_not_every_manager),
		T(a_rung_tells_its_own_recipients_unless_the_rule_names_others),
		T(a_statutory_rung_breaks_through_the_quiet_hours_and_a_local_target_does_not),
		T(quiet_hours_end_the_next_morning_on_every_day_of_a_year),
		T(attempts_grow_apart_and_last_about_a_day),
		T(facts_follow_the_events_of_a_case),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
