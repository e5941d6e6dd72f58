/* case_table.c - the acts on a case: one row per act, whose words name the fields of its message. */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "base/macros.h"
#include "case_tool.h"

/* clang-format off */
#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name
const struct case_act case_acts[] = {
	{"place", ACT(PLACE), "place the case at a unit (a leaf)", "placed", false,
		{{"unit", "unit"}, {"motive", "motive"}}},
	{"name-reporter", ACT(NAME_REPORTER), "name who reported", "the reporter is named", false,
		{{"name", "reporter.name"}, {"role", "reporter.role"}, {"unit", "reporter.unit"}, {"mail", "reporter.mail"},
		 {"phone", "reporter.phone"}, {"on-behalf-of", "reporter.on_behalf_of"}}},
	{"remedy", ACT(REMEDY), "say what remedied it, or why nothing is needed", "remedied, or nothing is needed", false,
		{{"text", "text"}, {"none-needed", "none_needed", "true"}}},
	{"inform", ACT(INFORM_AFFECTED), "say that the affected are informed, or why not", "recorded whether the affected are informed", false,
		{{"text", "text"}, {"informed", "informed", "true", 'i'}, {"not-informed", "informed", "false", 'i'}}},
	{"inform-relatives", ACT(INFORM_RELATIVES), "say that relatives or guardians are informed, or why not", "recorded whether they are informed", false,
		{{"text", "text"}, {"whom", "whom"}, {"informed", "informed", "true", 'i'}, {"not-informed", "informed", "false", 'i'}}},
	{"file-entry", ACT(CONFIRM_FILE_ENTRY), "confirm that it stands in the person's own file, or why not", "recorded whether it stands in the person's own file", false,
		{{"text", "text"}, {"confirmed", "confirmed", "true", 'c'}, {"not-applicable", "confirmed", "false", 'c'}}},
	{"police", ACT(DECIDE_POLICE_REPORT), "decide whether to report to the police, or that it is done", "the report to the police is decided on", false,
		{{"report", "police_report"}, {"motive", "motive"}, {"police-number", "police_number"}}},
	{"registry", ACT(SET_REGISTRY_NUMBER), "set the registry number, or correct it", "the registry number is set", false,
		{{"number", "registry_number"}, {"motive", "motive"}}},
	{"assess", ACT(ASSESS_INITIALLY), "assess initially", "initially assessed", false,
		{{"degree", "preliminary_degree"}, {"investigate", "investigate", "true", 'a'},
		 {"position", "investigate", "false", 'a'}, {"investigator", "investigator"}, {"motive", "motive"}}},
	{"serious", ACT(FIND_SERIOUS), "find it serious: IVO must be notified", "found serious: IVO must be notified", false,
		{{"motive", "motive"}}},
	{"entry", ACT(RECORD_ENTRY), "document an item (1 to 10) of the investigation", "an entry of the investigation is kept", false,
		{{"item", "item"}, {"nature", "nature"}, {"source", "source"}, {"text", "text"}, {"happened", "happened_at_ms"},
		 {"cause", "cause_area"}, {"recurrent", "recurrent", "true"}, {"risk", "risk_of_recurrence"}}},
	{"complete", ACT(COMPLETE_INVESTIGATION), "finish and lock the investigation", "the investigation is finished and locked", false,
		{{"degree", "proposed_degree"}, {"motive", "motive"}}},
	{"decide", ACT(DECIDE), "decide the degree", "decided", false,
		{{"degree", "degree"}, {"motive", "motive"}}},
	{"notify", ACT(NOTIFY_IVO), "record that IVO is notified", "IVO is notified", false,
		{{"registry", "registry_number"}, {"attached", "investigation_attached", "true"}, {"form", "form_version"},
		 {"receipt", "receipt_number"}, {"attachments", "attachments"}}},
	{"hand-in", ACT(HAND_IN_INVESTIGATION), "record that the investigation is handed in to IVO", "the investigation is handed in to IVO", false,
		{{"channel", "channel"}}},
	{"propose", ACT(PROPOSE_MEASURE), "propose a measure, for somebody with the right to decide it", "a measure is proposed", false,
		{{"description", "description"}, {"goal", "goal"}, {"responsible", "responsible"}, {"start", "planned_start_on"},
		 {"end", "planned_end_on"}, {"horizon", "horizon"}}},
	{"proposal", ACT(DECIDE_PROPOSAL), "decide a proposed measure", "the proposal is decided", true,
		{{"approved", "verdict", "approved", 'v'}, {"partly", "verdict", "partly", 'v'}, {"rejected", "verdict", "rejected", 'v'},
		 {"comment", "comment"}}},
	{"measure", ACT(DECIDE_MEASURE), "decide a measure", "a measure is decided", false,
		{{"description", "description"}, {"goal", "goal"}, {"responsible", "responsible"}, {"start", "planned_start_on"},
		 {"end", "planned_end_on"}, {"horizon", "horizon"}}},
	{"no-measures", ACT(DECIDE_NO_MEASURES), "decide that no measures, or no more, are needed", "no measures are needed", false,
		{{"motive", "motive"}}},
	{"execute", ACT(EXECUTE_MEASURE), "record that a measure is done", "the measure is done", true,
		{{"text", "text"}}},
	{"evaluate", ACT(EVALUATE_MEASURE), "judge the effect of a measure", "the effect of the measure is judged", true,
		{{"effective", "effective", "true", 'e'}, {"ineffective", "effective", "false", 'e'},
		 {"accept-risk", "accept_risk", "true"}, {"check", "check"}, {"text", "text"}}},
	{"close", ACT(CLOSE), "close the case", "closed", false,
		{{"category", "category"}, {"subcategory", "subcategory"}, {"causes", "cause_areas"}, {"note", "note"}}},
	{"close-early", ACT(CLOSE_EARLY), "close a deviation that needs no inquiry, or no more of it", "closed early", false,
		{{"motive", "motive"}, {"category", "category"}, {"subcategory", "subcategory"}}},
	{"review", ACT(TAKE_FOR_REVIEW), "take a deviation for review", "taken for review", false,
		{{"handler", "handler"}}},
	{"ask", ACT(REQUEST_COMPLETION), "ask the reporter to complete the report", "the reporter is asked", false,
		{{"question", "question"}}},
	{"answer", ACT(ANSWER_COMPLETION), "record the reporter's answer", "the answer is in", false,
		{{"text", "text"}}},
	{"inquire", ACT(BEGIN_INQUIRY), "begin the inquiry, under one law or two of hsl, lss and sol", "the inquiry has begun", false,
		{{"laws", "laws"}, {"category", "category"}, {"subcategory", "subcategory"}, {"text", "text"}}},
	{"risk", ACT(ASSESS_RISK), "assess the risk under one of the laws", "the risk is assessed", false,
		{{"law", "law"}, {"probability", "probability"}, {"severity", "severity"}, {"text", "text"}}},
	{"conclude", ACT(COMPLETE_INQUIRY), "finish and lock the inquiry", "the inquiry is finished and locked", false,
		{{"text", "text"}, {"causes", "cause_areas"}}},
	{"stop-deadline", ACT(STOP_DEADLINE), "let a deadline stand still while something is waited for", "the deadline stands still", false,
		{{"reason", "reason"}, {"motive", "motive"}}, true},
	{"resume-deadline", ACT(RESUME_DEADLINE), "let a stopped deadline go on", "the deadline goes on", false,
		{{"motive", "motive"}}, true},
	{"extend-deadline", ACT(EXTEND_DEADLINE), "give a deadline more time, in its own unit", "the deadline has more time", false,
		{{"by", "count"}, {"motive", "motive"}}, true},
	{"turn", ACT(TURN_INTO_LEX_SARAH), "turn a deviation into a lex Sarah case", "turned into a lex Sarah case", false,
		{{"motive", "motive"}}},
	{"register", ACT(REGISTER_INFORMATION), "register a private provider's report", "the provider's report is registered", false,
		{{"number", "registry_number"}}},
	{"provider-notified", ACT(RECORD_PROVIDER_NOTIFICATION), "record that the provider has notified IVO", "recorded that the provider has notified IVO", false,
		{{"notified", "notified_at_ms"}, {"ivo-number", "ivo_case_number"}, {"text", "text"}}},
	{"lift-duty", ACT(LIFT_IVO_DUTY), "lift the duty to notify IVO, while nothing has been sent", "the duty to notify IVO is lifted", false,
		{{"motive", "motive"}}},
	{"ivo-request", ACT(RECORD_IVO_REQUEST), "record that IVO asks for a completion", "IVO's request is kept, with its day", false,
		{{"due", "due_on"}, {"text", "text"}, {"ivo-number", "ivo_case_number"}}},
	{"ivo-answer", ACT(ANSWER_IVO_REQUEST), "record that a request of IVO is answered", "IVO's request is answered", false,
		{{"request", "request"}, {"channel", "channel"}, {"text", "text"}}},
	{"ivo-decision", ACT(RECORD_IVO_DECISION), "record what IVO has decided", "IVO's decision is kept", false,
		{{"outcome", "outcome"}, {"ivo-number", "ivo_case_number"}, {"text", "text"}}},
	{"reconsider", ACT(RECONSIDER), "reconsider a recorded position: investigate", "the position is reconsidered", false,
		{{"motive", "motive"}, {"investigator", "investigator"}}},
	{"return", ACT(RETURN_TO_DEVIATION), "return the case to the unit as a deviation", "returned to the unit as a deviation", false,
		{{"motive", "motive"}}},
	{"reopen", ACT(REOPEN), "open a closed case again: investigate anew", "opened again", false,
		{{"motive", "motive"}, {"investigator", "investigator"}}},
	{"join", ACT(JOIN), "let another case of the same event take over the report", "joined: the report stands under the other case", false,
		{{"into", "into_case_id"}, {"motive", "motive"}}},
	{"part", ACT(PART), "part a report that was joined by mistake: it goes on where it was", "parted: the case goes on where it was", false,
		{{"motive", "motive"}}},
	{"not-same", ACT(DISMISS_DUPLICATE), "say that what is suggested as the same event is another", "dismissed: it is another event", false,
		{{"other", "other_case_id"}}},
	{"correct", ACT(CORRECT_CONTENT), "erase what was filed by mistake, and put what is right in its place", "corrected: what was wrong is erased", false,
		{{"content", "content_id"}, {"reason", "reason"}, {"text", "text.text"}, {"source", "text.source"}, {"goal", "text.goal"},
		 {"report", "narrative"}, {"reporter", "reporter.name"}, {"role", "reporter.role"}, {"unit", "reporter.unit"},
		 {"mail", "reporter.mail"}, {"phone", "reporter.phone"}}},
};
/* clang-format on */
const size_t case_act_count = AV_COUNT(case_acts);

const char *case_act_word(const char *name)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(&avvik__v1__act_on_case__descriptor, name);

	for (size_t i = 0; field && i < case_act_count; i++)
		if ((uint32_t)case_acts[i].number == field->id)
			return case_acts[i].name;
	return name;
}

/* {"act": "place", "meaning": …, "words": ["--unit", …]} */
static json_t *act_json(const struct case_act *act)
{
	json_t *words = json_array();

	for (size_t i = 0; i < CASE_WORDS_MAX && act->words[i].option; i++)
		json_array_append_new(words, json_sprintf("--%s", act->words[i].option));
	return json_pack("{ssssso}", "act", act->name, "meaning", act->meaning, "words", words);
}

int case_acts_list(const struct tool *tool, const char *only)
{
	struct json_list list = {0};
	bool found = false;

	for (size_t i = 0; i < case_act_count; i++) {
		const struct case_act *act = &case_acts[i];
		if (only && strcmp(only, act->name) != 0)
			continue;
		found = true;
		if (tool->json) {
			json_list_value(&list, act_json(act));
			continue;
		}
		printf("%-17s %s\n                  avvik case %s CASE%s", act->name, act->meaning, act->name,
			act->measure	? " MEASURE"
			: act->deadline ? " DEADLINE"
					: "");
		for (size_t w = 0; w < CASE_WORDS_MAX && act->words[w].option; w++)
			printf("%s--%s%s",
				w && act->words[w].group && act->words[w].group == act->words[w - 1].group
					? "|"
					: " ",
				act->words[w].option, act->words[w].value ? "" : " ...");
		printf(" --as PERSON\n");
	}
	if (tool->json)
		json_list_end(&list);
	return found ? EXIT_DONE
		     : tool_fail(EXIT_USAGE, "\"%s\" is no act: `avvik case acts` lists them", only);
}
