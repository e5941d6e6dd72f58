/* workflow_case_table.c - every state x act of both kinds, against what the regulation says, written here
 * once more
 *
 * A triple that is not listed is refused; so the tables are right and complete, or the test fails with the
 * cell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/macros.h"
#include "case_rules.h"

#define LEX AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH
#define DEV AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION

struct step {
	const char *act, *steps; /* "from>to from>to" */
};

/* 2.6 of the process description, SOSFS 2011:5. */
static const struct step lex_sarah[] = {
	/* clang-format off */
	/* a report without a named reporter, or for an unknown unit, is a task until both are known */
	{ "PLACE",              "incomplete>incomplete received>received" },
	{ "PLACE_LAST",         "incomplete>received" },
	{ "NAME_REPORTER",      "incomplete>incomplete received>received" },
	{ "NAME_REPORTER_LAST", "incomplete>received" },
	/* remedied: from received until closed; who is told, also after it */
	{ "REMEDY",             "received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position" },
	{ "INFORM",               "received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position closed>closed" },
	{ "INFORM_RELATIVES",     "received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position closed>closed" },
	{ "FILE_ENTRY",           "received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position closed>closed" },
	{ "POLICE",               "received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position closed>closed" },
	{ "REGISTRY",           "incomplete>incomplete received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position closed>closed joined>joined" },
	/* investigated, or a recorded position that may be reconsidered */
	{ "INVESTIGATE",        "received>investigation" },
	{ "TAKE_POSITION",      "received>position" },
	{ "RECONSIDER",         "position>investigation" },
	/* back to the unit, in the state that a deviation has there */
	{ "RETURN",             "received>investigation" },
	{ "REOPEN",             "closed>investigation" },
	/* IVO runs beside: in any state before closed */
	{ "FIND_SERIOUS",       "incomplete>incomplete received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position" },
	{ "NOTIFY_IVO",         "incomplete>incomplete received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position" },
	{ "LIFT_DUTY",          "incomplete>incomplete received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position" },
	/* what IVO asks and decides comes when it comes, also when the case is closed */
	{ "IVO_REQUEST",        "incomplete>incomplete received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position closed>closed" },
	{ "IVO_ANSWER",         "incomplete>incomplete received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position closed>closed" },
	{ "IVO_DECISION",       "incomplete>incomplete received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position closed>closed" },
	/* what is handed in is finished */
	{ "HAND_IN",            "assessment>assessment decided>decided measures>measures follow_up>follow_up" },
	{ "RECORD_ENTRY",       "investigation>investigation" },
	{ "COMPLETE",           "investigation>assessment" },
	{ "DECIDE",             "assessment>decided" },
	/* proposed by anybody who finds one, also while it is investigated; decided when the case is */
	{ "PROPOSE",            "investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up" },
	{ "APPROVE",            "decided>measures measures>measures follow_up>measures" },
	{ "REJECT",             "decided>decided measures>measures follow_up>follow_up" },
	{ "DECIDE_MEASURE",     "decided>measures measures>measures follow_up>measures" },
	{ "NO_MEASURES",        "decided>follow_up measures>follow_up" },
	{ "EXECUTE",            "measures>measures" },
	{ "EXECUTE_LAST",       "measures>follow_up" },
	/* a later check, and one that is asked for again, also when the case is closed */
	{ "EVALUATE_PART",      "measures>measures follow_up>follow_up closed>closed" },
	{ "EVALUATE",           "measures>measures follow_up>follow_up closed>closed" },
	{ "EVALUATE_WANTING",   "measures>measures follow_up>measures closed>closed" },
	/* invariant iii: closed from follow-up, or from a recorded position */
	{ "CLOSE",              "follow_up>closed position>closed" },
	{ "CLOSE_EARLY",        "" },
	{ "TURN",               "" },
	/* a deadline stands still, goes on or gets more time in any state before closed */
	{ "STOP_DEADLINE",      "incomplete>incomplete received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position" },
	{ "RESUME_DEADLINE",    "incomplete>incomplete received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position" },
	{ "EXTEND_DEADLINE",    "incomplete>incomplete received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position" },
	/* joined to another until its investigation is finished; parted, it goes on where it was */
	{ "JOIN",               "incomplete>joined received>joined investigation>joined" },
	{ "PART_INCOMPLETE",    "joined>incomplete" },
	{ "PART_RECEIVED",      "joined>received" },
	{ "PART_INVESTIGATION", "joined>investigation" },
	{ "DISMISS",            "incomplete>incomplete received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position" },
	/* what was filed by mistake goes whenever it is found */
	{ "CORRECT",            "incomplete>incomplete received>received investigation>investigation assessment>assessment decided>decided measures>measures follow_up>follow_up position>position closed>closed joined>joined" },
};

/* 10.1 of the process description. What was assessed in one act, before there were these states, is closed or turned. */
static const struct step deviation[] = {
	/* to another unit while nobody has begun an inquiry */
	{ "PLACE",              "received>received review>received" },
	{ "PLACE_LAST",         "incomplete>received" },
	{ "NAME_REPORTER",      "received>received review>review completion>completion investigation>investigation assessment>assessment follow_up>follow_up assessed>assessed" },
	{ "REMEDY",             "received>received review>review completion>completion investigation>investigation assessment>assessment follow_up>follow_up assessed>assessed" },
	{ "TAKE",               "received>review review>review" },
	{ "REQUEST",            "review>completion" },
	{ "ANSWER",             "completion>review" },
	{ "BEGIN_INQUIRY",      "review>investigation investigation>investigation" },
	{ "ASSESS_RISK",        "investigation>investigation" },
	{ "ASSESS_RISK_TURNS",  "investigation>received" },
	{ "COMPLETE_INQUIRY",   "investigation>assessment" },
	{ "PROPOSE",            "investigation>investigation assessment>assessment follow_up>follow_up" },
	{ "APPROVE",            "assessment>follow_up follow_up>follow_up" },
	{ "REJECT",             "assessment>assessment follow_up>follow_up" },
	{ "DECIDE_MEASURE",     "assessment>follow_up follow_up>follow_up" },
	{ "NO_MEASURES",        "assessment>follow_up follow_up>follow_up" },
	{ "EXECUTE",            "follow_up>follow_up" },
	{ "EXECUTE_LAST",       "follow_up>follow_up" },
	{ "EVALUATE_PART",      "follow_up>follow_up closed>closed" },
	{ "EVALUATE",           "follow_up>follow_up closed>closed" },
	{ "EVALUATE_WANTING",   "follow_up>follow_up closed>closed" },
	{ "CLOSE",              "follow_up>closed assessed>closed" },
	/* early: from received to the decision, never a misconduct (the other table has no such act) */
	{ "CLOSE_EARLY",        "received>closed review>closed completion>closed investigation>closed assessment>closed" },
	{ "TURN",               "received>received review>received completion>received investigation>received assessment>received assessed>received" },
	{ "STOP_DEADLINE",      "incomplete>incomplete received>received review>review completion>completion investigation>investigation assessment>assessment follow_up>follow_up assessed>assessed" },
	{ "RESUME_DEADLINE",    "incomplete>incomplete received>received review>review completion>completion investigation>investigation assessment>assessment follow_up>follow_up assessed>assessed" },
	{ "EXTEND_DEADLINE",    "incomplete>incomplete received>received review>review completion>completion investigation>investigation assessment>assessment follow_up>follow_up assessed>assessed" },
	{ "JOIN",               "incomplete>joined received>joined review>joined completion>joined investigation>joined" },
	{ "PART_INCOMPLETE",    "joined>incomplete" },
	{ "PART_RECEIVED",      "joined>received" },
	{ "PART_INVESTIGATION", "joined>investigation" },
	{ "PART_REVIEW",        "joined>review" },
	{ "PART_COMPLETION",    "joined>completion" },
	{ "DISMISS",            "incomplete>incomplete received>received review>review completion>completion investigation>investigation assessment>assessment follow_up>follow_up assessed>assessed" },
	{ "CORRECT",            "incomplete>incomplete received>received review>review completion>completion investigation>investigation assessment>assessment follow_up>follow_up assessed>assessed closed>closed joined>joined" },
}; /* clang-format on */

/* 2.5 and (f): a private provider investigates and notifies itself. */
static const struct step information[] = {
	{"PLACE", "received>received registered>registered provider_notified>provider_notified"},
	{"REGISTRY", "registered>registered provider_notified>provider_notified closed>closed"},
	{"REGISTER", "received>registered"},
	{"REGISTER_NOTIFIED", "received>provider_notified"},
	{"PROVIDER_NOTIFIED", "received>received registered>provider_notified closed>closed"},
	{"CLOSE", "registered>closed provider_notified>closed"},
	{"JOIN", "received>joined"},
	{"PART_RECEIVED", "joined>received"},
	{"DISMISS", "received>received registered>registered provider_notified>provider_notified"},
	{"CORRECT", "received>received registered>registered provider_notified>provider_notified "
		    "closed>closed joined>joined"},
};

static const char *wanted_steps(const struct step *steps, size_t count, const char *act)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(steps[i].act, act) == 0)
			return steps[i].steps;
	return "";
}

/* "" or the state after `from` in "a>b c>d". */
static void wanted_next(const char *steps, const char *from, char ret_next[40])
{
	size_t size = strlen(from);

	ret_next[0] = '\0';
	while (*steps) {
		size_t word = strcspn(steps, " ");
		if (strncmp(steps, from, size) == 0 && steps[size] == '>') {
			memcpy(ret_next, steps + size + 1, word - size - 1);
			ret_next[word - size - 1] = '\0';
			return;
		}
		steps += word + (steps[word] == ' ');
	}
}

static void check_table(Avvik__V1__CaseKind kind, const struct step *steps, size_t count)
{
	size_t wrong = 0, allowed = 0;

	for (int state = 0; state < CASE_STATE_COUNT; state++)
		for (int act = 0; act < CASE_ACT_COUNT; act++) {
			Avvik__V1__CaseState next =
				case_next(kind, (Avvik__V1__CaseState)state, (enum case_act)act);
			const char *got = next ? case_state_name(next) : "";
			char want[40];

			wanted_next(wanted_steps(steps, count, case_act_column((enum case_act)act)),
				case_state_name((Avvik__V1__CaseState)state), want);
			allowed += *want != '\0';
			if (strcmp(got, want) == 0)
				continue;
			wrong++;
			print_error("%s + %s: got \"%s\", want \"%s\"\n",
				case_state_name((Avvik__V1__CaseState)state),
				case_act_column((enum case_act)act), got, want);
		}
	assert_int_equal(wrong, 0);
	assert_true(allowed > 5);
}

static void a_lex_sarah_case_goes_where_the_regulation_says_and_nowhere_else(void **state)
{
	(void)state;
	check_table(LEX, lex_sarah, AV_COUNT(lex_sarah));
}

static void a_deviation_goes_where_the_routine_says_and_nowhere_else(void **state)
{
	(void)state;
	check_table(DEV, deviation, AV_COUNT(deviation));
}

static void a_providers_report_goes_where_the_law_says_and_nowhere_else(void **state)
{
	(void)state;
	check_table(AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION, information, AV_COUNT(information));
}

static void what_is_not_a_kind_a_state_or_an_act_is_refused(void **state)
{
	(void)state;
	assert_int_equal(case_next((Avvik__V1__CaseKind)0, (Avvik__V1__CaseState)2, CASE_ACT_REMEDY), 0);
	assert_int_equal(
		case_next((Avvik__V1__CaseKind)CASE_KIND_COUNT, (Avvik__V1__CaseState)2, CASE_ACT_REMEDY), 0);
	assert_int_equal(case_next(LEX, (Avvik__V1__CaseState)-1, CASE_ACT_REMEDY), 0);
	assert_int_equal(case_next(LEX, (Avvik__V1__CaseState)CASE_STATE_COUNT, CASE_ACT_REMEDY), 0);
	assert_int_equal(case_next(LEX, (Avvik__V1__CaseState)2, CASE_ACT_COUNT), 0);
}

static void only_opening_it_again_leads_out_of_a_closed_case(void **state)
{
	(void)state;
	for (int kind = 1; kind < CASE_KIND_COUNT; kind++)
		for (int act = 0; act < CASE_ACT_COUNT; act++) {
			Avvik__V1__CaseState next = case_next((Avvik__V1__CaseKind)kind,
				AVVIK__V1__CASE_STATE__CASE_STATE_CLOSED, (enum case_act)act);
			if (act != CASE_ACT_REOPEN)
				assert_true(next == AVVIK__V1__CASE_STATE__CASE_STATE_UNSPECIFIED ||
					    next == AVVIK__V1__CASE_STATE__CASE_STATE_CLOSED);
		}
}

static void every_column_has_a_name_and_a_meaning(void **state)
{
	(void)state;
	for (int act = 0; act < CASE_ACT_COUNT; act++) {
		assert_true(*case_act_name((enum case_act)act) != '\0');
		assert_true(*case_act_column((enum case_act)act) != '\0');
		assert_true(*case_act_meaning((enum case_act)act) != '\0');
	}
	for (int named = 1; named < CASE_STATE_COUNT; named++)
		assert_int_equal(*case_state_name((Avvik__V1__CaseState)named) != '\0',
			protobuf_c_enum_descriptor_get_value(&avvik__v1__case_state__descriptor, named) !=
				NULL);
}

static void the_states_of_an_act_are_named(void **state)
{
	char text[200];

	(void)state;
	case_states_of(LEX, CASE_ACT_DECIDE_MEASURE, text, sizeof(text));
	assert_string_equal(text, "decided, measures or follow_up");
	case_states_of(LEX, CASE_ACT_INVESTIGATE, text, sizeof(text)); /* of the act, whichever column */
	assert_string_equal(text, "received");
	case_states_of(DEV, CASE_ACT_CLOSE, text, sizeof(text));
	assert_string_equal(text, "follow_up or assessed");
	case_states_of(DEV, CASE_ACT_DECIDE, text, sizeof(text));
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lex_sarah_case_goes_where_the_regulation_says_and_nowhere_else),
		cmocka_unit_test(a_deviation_goes_where_the_routine_says_and_nowhere_else),
		cmocka_unit_test(a_providers_report_goes_where_the_law_says_and_nowhere_else),
		cmocka_unit_test(what_is_not_a_kind_a_state_or_an_act_is_refused),
		cmocka_unit_test(only_opening_it_again_leads_out_of_a_closed_case),
		cmocka_unit_test(every_column_has_a_name_and_a_meaning),
		cmocka_unit_test(the_states_of_an_act_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
