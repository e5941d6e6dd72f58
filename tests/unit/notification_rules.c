/* notification_rules.c - who is told what: the matrix. */
#include "notification_town.h"

#include "base/macros.h"

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
	solen->operation = AVVIK__V1__OPERATION__OPERATION_CONTRACTED;
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

	Avvik__V1__NoticeRule *r = rule("N1", "RungFired", "SAS", KIND(TASK));
	after.investigator = (char *)"anna";
	want("to the role", &q, "N1:dan N1:eva");
	r->to[0]->assigned = true;
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
	anna_is_away(&q);
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
	anna_is_away(&q);
	want("absent", &q, "N1:bo/anna");
	q.now_ms = av_local_instant(20561, 0);
	want("back again", &q, "N1:anna");
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
	fired.measure_id = measure_id;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		town_test(a_rule_speaks_only_of_its_event_kind_degree_law_and_operation),
		town_test(people_are_found_upwards_from_the_unit_or_from_a_level),
		town_test(the_one_responsible_for_an_assessed_case_investigates_it_if_anybody_does),
		town_test(what_is_for_the_one_assigned_goes_to_who_investigates_else_to_the_roles_holders),
		town_test(a_task_for_someone_absent_goes_to_the_deputy),
		town_test(a_copy_does_not_go_to_the_one_who_acted_but_a_task_does),
		town_test(after_the_end_only_feedback_goes_out),
		town_test(an_incomplete_case_is_a_task_first_and_then_like_any_other),
		town_test(a_case_whose_unit_is_gone_concerns_the_top_and_not_every_manager),
		town_test(a_rung_tells_its_own_recipients_unless_the_rule_names_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
