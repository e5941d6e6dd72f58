/* case_rules.h - what may be done with a case, and where it leads: one flat table per kind, guards,
 * invariants.
 *
 * Pure: a case, an act and the person in, the next state or a refusal out. The states and acts follow SOSFS
 * 2011:5 and chapter 27 of the Social Services Act; docs/case-tables.md shows the same tables, and a test
 * compares them.
 *
 * An act whose outcome depends on the case has a row for each outcome (`execute_measure` and
 * `execute_last_measure`), so that the table alone says where every act leads; case_resolve() picks the
 * row.
 */
#ifndef AVVIK_WORKFLOW_CASE_RULES_H
#define AVVIK_WORKFLOW_CASE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "avvik/v1/case.pb-c.h"

#define CASE_STATE_COUNT 23 /* of CaseState, with UNSPECIFIED and the numbers between that are none */
#define CASE_KIND_COUNT 4
#define CASE_ITEMS_REQUIRED \
	0x5feu /* items 1-8 and 10 of the investigation, as bits; item 9 is the decision itself */

/*      row                   the act (rule pack)       what it means */
#define CASE_ACT_LIST(X) /* clang-format off */ \
	X(PLACE,              "place",                  "placed at a unit") \
	X(PLACE_LAST,         "place",                  "placed, and nothing else is missing") \
	X(NAME_REPORTER,      "name_reporter",          "the reporter is named") \
	X(NAME_REPORTER_LAST, "name_reporter",          "named, and nothing else is missing") \
	X(REMEDY,             "remedy",                 "remedied, or none needed") \
	X(INFORM,             "inform_affected",        "the affected are informed, or why not") \
	X(INFORM_RELATIVES,   "inform_relatives",       "relatives or guardians are informed, or why not") \
	X(FILE_ENTRY,         "confirm_file_entry",     "documented in the person's own file, or why not") \
	X(POLICE,             "decide_police_report",   "a report to the police: needed or not, made") \
	X(REGISTRY,           "set_registry_number",    "the registry number is set, or corrected") \
	X(INVESTIGATE,        "assess_initially",       "initial assessment: to be investigated") \
	X(TAKE_POSITION,      "assess_initially",       "initial assessment: a recorded position") \
	X(FIND_SERIOUS,       "find_serious",           "found serious: IVO must be notified") \
	X(RECORD_ENTRY,       "record_entry",           "an entry of the investigation") \
	X(COMPLETE,           "complete_investigation", "the investigation is finished and locked") \
	X(DECIDE,             "decide",                 "decided") \
	X(NOTIFY_IVO,         "notify_ivo",             "IVO is notified") \
	X(HAND_IN,            "hand_in_investigation",  "the investigation is handed in to IVO") \
	X(PROPOSE,            "propose_measure",        "a measure is proposed") \
	X(APPROVE,            "decide_proposal",        "the proposed measure is approved, wholly or in part") \
	X(REJECT,             "decide_proposal",        "the proposed measure is rejected") \
	X(DECIDE_MEASURE,     "decide_measure",         "a measure is decided") \
	X(NO_MEASURES,        "decide_no_measures",     "no measures, or no more, with a motive") \
	X(EXECUTE,            "execute_measure",        "a measure is executed, others remain") \
	X(EXECUTE_LAST,       "execute_measure",        "the last measure is executed") \
	X(EVALUATE_PART,      "evaluate_measure",       "one has judged its effect, another is awaited") \
	X(EVALUATE,           "evaluate_measure",       "its effect is judged: settled") \
	X(EVALUATE_WANTING,   "evaluate_measure",       "not effective: a new measure is needed") \
	X(CLOSE,              "close",                  "closed") \
	X(CLOSE_EARLY,        "close_early",            "closed early, with a motive") \
	X(TAKE,               "take_for_review",        "taken for review by a handler") \
	X(REQUEST,            "request_completion",     "the reporter is asked to complete") \
	X(ANSWER,             "answer_completion",      "the answer is in") \
	X(BEGIN_INQUIRY,      "begin_inquiry",          "an inquiry begins, under one law or two") \
	X(ASSESS_RISK,        "assess_risk",            "the risk is assessed under a law") \
	X(ASSESS_RISK_TURNS,  "assess_risk",            "it reaches the thresholds: turned into lex Sarah (another kind of case)") \
	X(COMPLETE_INQUIRY,   "complete_inquiry",       "the inquiry is finished and locked") \
	X(TURN,               "turn_into_lex_sarah",    "turned into lex Sarah (another kind of case)") \
	X(STOP_DEADLINE,      "stop_deadline",          "a deadline stands still, for a reason that its rule allows") \
	X(RESUME_DEADLINE,    "resume_deadline",        "it goes on") \
	X(EXTEND_DEADLINE,    "extend_deadline",        "it gets more time, as far as its rule allows") \
	X(LIFT_DUTY,          "lift_ivo_duty",          "the duty to notify IVO is lifted") \
	X(IVO_REQUEST,        "record_ivo_request",     "IVO asks for a completion") \
	X(IVO_ANSWER,         "answer_ivo_request",     "IVO's request is answered") \
	X(IVO_DECISION,       "record_ivo_decision",    "IVO has decided") \
	X(RECONSIDER,         "reconsider",             "a position is reconsidered: to be investigated") \
	X(RETURN,             "return_to_deviation",    "returned to the unit as a deviation (another kind of case)") \
	X(REGISTER,           "register_information",   "a private provider's report is registered") \
	X(REGISTER_NOTIFIED,  "register_information",   "registered, and the provider has notified IVO already") \
	X(PROVIDER_NOTIFIED,  "record_provider_notification", "the provider has notified IVO") \
	X(REOPEN,             "reopen",                 "opened again: to be investigated anew") \
	X(JOIN,               "join",                   "joined: its report stands under another case of the same event") \
	X(PART_INCOMPLETE,    "part",                   "parted again: goes on as incomplete") \
	X(PART_RECEIVED,      "part",                   "parted again: goes on as received") \
	X(PART_INVESTIGATION, "part",                   "parted again: the investigation goes on") \
	X(PART_REVIEW,        "part",                   "parted again: the review goes on") \
	X(PART_COMPLETION,    "part",                   "parted again: the reporter is still asked") \
	X(DISMISS,            "dismiss_duplicate",      "what is suggested as the same event is another") \
	X(CORRECT,            "correct_content",        "what was filed by mistake is erased, and corrected") /* clang-format on */

enum case_act {
#define X(name, act, meaning) CASE_ACT_##name,
	CASE_ACT_LIST(X)
#undef X
		CASE_ACT_COUNT
};

/* Why something is refused, and what would satisfy it. FORBIDDEN is about the person, CLOSED about the case.
 */
#define CASE_GUARD_LIST(X) /* clang-format off */ \
	X(STATE,             CLOSED,    "state",             "the case is not in a state where this can be done") \
	X(REPORTER_NAMED,    CLOSED,    "reporter_named",    "the reporter is named already; nothing is to be done") \
	X(POSITION_DEGREE,   INVALID,   "position_degree",   "a case ends as a recorded position only when it clearly is no misconduct: give the degree none, or choose to investigate") \
	X(POSITION_SERIOUS,  CLOSED,    "position_serious",  "the case has been found serious and IVO must be notified: choose to investigate") \
	X(SERIOUS_BEFORE,    CLOSED,    "serious_before",    "the duty to notify IVO stands already: notify IVO") \
	X(ITEMS_MISSING,     CLOSED,    "items_missing",     "the investigation is not fully documented: record an entry for each item that is missing (\"none, because ...\" is a valid entry)") \
	X(INVESTIGATOR,      FORBIDDEN, "investigator",      "the investigator does not decide: the decision is for another person with the role") \
	X(IVO_NOT_REQUIRED,  CLOSED,    "ivo_not_required",  "there is no duty to notify IVO: it follows from finding the case serious or deciding a serious degree") \
	X(IVO_NOTIFIED,      CLOSED,    "ivo_notified",      "IVO has been notified already; hand in the investigation if it is missing") \
	X(NOT_COMPLETED,     CLOSED,    "not_completed",     "the investigation is not completed: complete it first, or notify without it and hand it in within two months") \
	X(IVO_NOT_WAITING,   CLOSED,    "ivo_not_waiting",   "IVO is not waiting for the investigation: it is handed in after a notification without it, and once") \
	X(MEASURE_UNKNOWN,   INVALID,   "measure_unknown",   "the case has no such measure: read the case again and give the id of one of its measures") \
	X(MEASURE_EXECUTED,  CLOSED,    "measure_executed",  "the measure is executed already: its effect can be judged") \
	X(MEASURE_EVALUATED, CLOSED,    "measure_evaluated", "the effect of the measure is judged already: decide a new measure if more is needed") \
	X(MEASURE_PENDING,   CLOSED,    "measure_pending",   "the measure is not executed yet: record that it is, then judge its effect") \
	X(MEASURE_DECIDED,   CLOSED,    "measure_decided",   "the measure is decided already, and what was decided is locked: propose another measure with the new content") \
	X(MEASURE_REJECTED,  CLOSED,    "measure_rejected",  "the measure was rejected: propose or decide another") \
	X(EXECUTED_EARLY,    INVALID,   "executed_early",    "the measure was decided after that day: give the day when it was done") \
	X(JUDGED_EARLY,      INVALID,   "judged_early",      "the measure was not executed yet on that day: give the day when its effect was judged") \
	X(EFFECT_ANSWERED,   CLOSED,    "effect_answered",   "this answer is given already: the effect is settled when the investigator and the manager have both judged it") \
	X(NOT_WANTED,        CLOSED,    "not_wanted",        "no measure without effect is left unanswered, so nothing is to be decided: judge the effects, and close the case") \
	X(PART_UNKNOWN,      INVALID,   "part_unknown",      "the inquiry is not under this law: give one of the laws that it began under") \
	X(RISK_MISSING,      CLOSED,    "risk_missing",      "the risk is not assessed under each law of the inquiry: assess it") \
	X(LAWS_MISSING,      CLOSED,    "laws_missing",      "the inquiry has no law yet: begin it under one law or two") \
	X(INQUIRY_BEGUN,     CLOSED,    "inquiry_begun",     "the inquiry has begun under its laws already: assess the risk under each") \
	X(UNDECIDED,         CLOSED,    "undecided",         "a proposed measure is not decided: approve or reject it first") \
	X(UNEXECUTED,        CLOSED,    "unexecuted",        "a measure is not executed: record that it is, and judge its effect") \
	X(UNEVALUATED,       CLOSED,    "unevaluated",       "the effect of a measure is not judged: judge it first") \
	X(MEASURE_WANTED,    CLOSED,    "measure_wanted",    "a measure was not effective and the risk was not accepted: decide a new measure") \
	X(CLOSE_UNNOTIFIED,  CLOSED,    "close_unnotified",  "IVO must be notified before the case is closed: record the notification") \
	X(CLOSE_INCOMPLETE,  CLOSED,    "close_incomplete",  "IVO waits for the investigation: hand it in before the case is closed") \
	X(CATEGORY,          INVALID,   "category",          "the statistics need a category: give one of the rule pack's codes") \
	X(DEADLINE_UNKNOWN,  INVALID,   "deadline_unknown",  "the case has no such deadline: list its deadlines and give the id of one of them") \
	X(DEADLINE_ENDED,    CLOSED,    "deadline_ended",    "the deadline has ended: nothing can be changed of it") \
	X(DEADLINE_STANDS,   CLOSED,    "deadline_stopped",  "the deadline stands still: let it go on first") \
	X(DEADLINE_RUNS,     CLOSED,    "deadline_running",  "the deadline is not stopped: it runs already") \
	X(DEADLINE_FIXED,    CLOSED,    "deadline_fixed",    "the rule of the deadline does not let it stand still for that reason: give one that the rule pack allows for it, or extend it") \
	X(DEADLINE_PAST,     CLOSED,    "deadline_past",     "the deadline was due before that: extend it, or do what it waits for") \
	X(DEADLINE_EARLY,    INVALID,   "deadline_early",    "the time lies before the start of the deadline, or before its last stop: give the time when it was done") \
	X(DEADLINE_LONG,     CLOSED,    "deadline_extension","the rule of the deadline does not allow so much more time: give less") \
	X(IVO_SENT,          CLOSED,    "ivo_sent",          "IVO has been notified: what was sent stands, and the duty to hand in the investigation goes on") \
	X(DECIDED_SERIOUS,   CLOSED,    "decided_serious",   "the case is decided as serious, and the duty to notify IVO follows from the decision: notify IVO") \
	X(IVO_NOT_NOTIFIED,  CLOSED,    "ivo_not_notified",  "IVO has not been notified: record the notification first") \
	X(IVO_DECIDED,       CLOSED,    "ivo_decided",       "IVO has decided in the matter already: a new notification opens a new one") \
	X(REQUEST_UNKNOWN,   INVALID,   "request_unknown",   "the case has no such request of IVO that is open: give the number of one that is, as the case shows it") \
	X(REQUEST_WHICH,     INVALID,   "request_which",     "several requests of IVO are open: give the number of the one that is answered") \
	X(NOT_A_DEVIATION,   CLOSED,    "not_a_deviation",   "the case did not come as a deviation: investigate it, or take a position") \
	X(PROVIDER_TOLD,     CLOSED,    "provider_told",     "it is recorded already that the provider has notified IVO") \
	X(RETURN_SERIOUS,    CLOSED,    "return_serious",    "the case has been found serious: lift the duty to notify IVO first; what has been notified is investigated") \
	X(JOIN_SELF,         INVALID,   "join_self",         "a case is not joined to itself: give the id of the other case") \
	X(JOIN_CLOSED,       CLOSED,    "join_closed",       "the other case is closed: open it again first, or handle this one by itself") \
	X(JOIN_JOINED,       CLOSED,    "join_joined",       "the other case is joined to a third one itself: join this one to that") \
	X(JOIN_INCOMPLETE,   CLOSED,    "join_incomplete",   "the other case waits to be completed: complete it first, or join it to this one") \
	X(JOIN_OTHERS,       CLOSED,    "join_others",       "reports of other cases stand under this one: part them first, or join the other case to this one") \
	X(JOIN_KIND,         CLOSED,    "join_kind",         "the other case is of a kind that this report cannot stand under: a lex Sarah report stands under lex Sarah, a provider's under a provider's; join the other case to this one, or turn it into lex Sarah") \
	X(JOIN_UNPLACED,     CLOSED,    "join_unplaced",     "the unit of the case is not known: place it first") \
	X(JOIN_SERIOUS,      CLOSED,    "join_serious",      "this case has been found serious and the other one has not: find that one serious first, so that the duty to notify IVO stands there, or join it to this one") \
	X(JOIN_NOTIFIED,     CLOSED,    "join_notified",     "IVO has been notified of this case: join the other case to this one") \
	X(JOIN_FULL,         CLOSED,    "join_full",         "so many reports as can stand under one case stand under the other already: join this one to another case of the event") \
	X(DUPLICATE_UNKNOWN, INVALID,   "duplicate_unknown", "the other case is not suggested as the same event: read the case again and give one of its suggestions") \
	X(DUPLICATE_DISMISSED, CLOSED,  "duplicate_dismissed", "that the two are the same event is dismissed already; nothing is to be done") \
	X(CONTENT_UNKNOWN,   INVALID,   "content_unknown",   "the case holds no such content: read the case again and give the id of one of its contents") \
	X(CONTENT_CORRECTED, CLOSED,    "content_corrected", "the content is corrected already: correct what stands in its place, as the case shows it") \
	X(CONTENT_ERASED,    CLOSED,    "content_erased",    "the content is erased: nothing of it is left to correct; record what is right as a new act") /* clang-format on */

enum case_guard {
	CASE_ALLOWED,
#define X(name, status, text, remedy) CASE_GUARD_##name,
	CASE_GUARD_LIST(X)
#undef X
		CASE_GUARD_COUNT
};

/* What an act says that the rules must know. */
struct case_intent {
	enum case_act act;
	const char *person;		   /* who acts */
	Avvik__V1__Degree degree;	   /* of an assessment or decision */
	bool investigation_attached;	   /* NOTIFY_IVO */
	const Avvik__V1__Measure *measure; /* EXECUTE, EVALUATE: of the case; NULL: unknown */
	bool category_given;		   /* CLOSE */
	enum case_guard deadline;	   /* of an act on a deadline: what its ledger says */
	uint32_t request;		   /* IVO_ANSWER: its number, 0: the one that is open */
	int64_t acted_at_ms;		   /* EXECUTE, EVALUATE */
	/* EVALUATE: which check, as whom the person answers, who else the rule pack asks, and what is said.
	 */
	const char *check;
	bool as_investigator, as_manager, asks_investigator, asks_manager;
	bool effective, accept_risk;
	Avvik__V1__Law law;    /* ASSESS_RISK */
	enum case_guard other; /* of an act with another case, or on a content: what the two say */
};

/* The row of an act for this case: `number` is that of ActOnCase's oneof. CASE_ACT_COUNT when it is not an
 * act. */
enum case_act case_resolve(const Avvik__V1__Case *found, const Avvik__V1__ActOnCase *order);
/* The next state by the table alone; UNSPECIFIED: refused. */
Avvik__V1__CaseState case_next(Avvik__V1__CaseKind kind, Avvik__V1__CaseState state, enum case_act act);
/* Table and guards: CASE_ALLOWED and the next state, or the first guard that refuses. */
enum case_guard case_check(
	const Avvik__V1__Case *found, const struct case_intent *intent, Avvik__V1__CaseState *ret_next);
/* Of acts in the IVO region (case_ivo.c): may it be done in the state of the region? */
enum case_guard case_check_ivo(const Avvik__V1__Case *found, const struct case_intent *intent);
/* The request of IVO that an answer is to, among those that are open; `number` 0: the only one. NULL: none,
 * or several. */
const Avvik__V1__IvoRequest *case_request(const Avvik__V1__Case *found, uint32_t number);
size_t case_requests_open(const Avvik__V1__Case *found);
/* IVO was notified without the investigation, and has not got it since, whether or not it has decided. */
bool case_ivo_waits(const Avvik__V1__Case *found);
/* The state of the IVO region after an allowed act. */
Avvik__V1__IvoState case_ivo_after(const Avvik__V1__Case *found, const struct case_intent *intent);

const char *case_act_name(enum case_act act);	/* as the rule pack calls it: "decide" */
const char *case_act_column(enum case_act act); /* "execute_last_measure" */
const char *case_act_meaning(enum case_act act);
const char *case_guard_name(enum case_guard guard);
const char *case_guard_text(enum case_guard guard);
int case_guard_status(enum case_guard guard);		 /* AV_CLOSED, AV_FORBIDDEN, AV_INVALID */
const char *case_state_name(Avvik__V1__CaseState state); /* "follow_up" */

/* Which acts the state allows now, one name once. Answers how many of the at most CASE_ACT_COUNT. */
size_t case_acts_possible(const Avvik__V1__Case *found, const char *ret_names[CASE_ACT_COUNT]);
/* May a case of this kind ever be in the state: is there an act from it, or is it the end? */
bool case_has_state(Avvik__V1__CaseKind kind, Avvik__V1__CaseState state);
/* The states in which an act by that name is possible, as "decided, measures or follow_up"; `size` >= 160. */
void case_states_of(Avvik__V1__CaseKind kind, enum case_act act, char *ret_text, size_t size);
/* "3, 7 and 10": the items of the investigation that are not documented; `size` >= 40. */
void case_items_missing(uint32_t documented, char *ret_text, size_t size);

bool case_is_serious(Avvik__V1__Degree degree); /* one of the two that go to IVO */
bool case_investigation_completed(const Avvik__V1__Case *found);
size_t case_measures_in(const Avvik__V1__Case *found, Avvik__V1__MeasureState state); /* how many */
/* May the report of the one case stand under the other (join_rules.c)? */
enum case_guard case_check_join(const Avvik__V1__Case *found, const Avvik__V1__Case *into);
#define CASE_JOINED_MAX 50 /* reports that stand under one case */
/* Could the two be of the same event, by their kinds? Either may be joined to the other. */
bool case_kinds_join(Avvik__V1__CaseKind one, Avvik__V1__CaseKind other);
bool case_open(Avvik__V1__CaseState state); /* neither closed nor joined */
bool case_has_id(ProtobufCBinaryData *const ids, size_t count, ProtobufCBinaryData id);
/* The correction of a content that was wrong; NULL: it was not corrected. */
Avvik__V1__Correction *case_correction(const Avvik__V1__Case *found, ProtobufCBinaryData content_id);
/* The guards of what is done with a measure (measure_rules.c). */
enum case_guard case_check_measure(const Avvik__V1__Case *found, const struct case_intent *intent);
/* A measure proved ineffective, the risk was not accepted, and no measure has been decided since. */
bool case_wants_measure(const Avvik__V1__Case *found);
#define CASE_CHECK_RECURRENCE "recurrence" /* the check that is asked for when it came back */
/* The check of a measure's effect by that name; NULL: nobody has answered it. */
Avvik__V1__EffectCheck *case_effect_check(const Avvik__V1__Measure *measure, const char *rule);
/* What an answer makes of its check. */
struct case_effect {
	bool settled, effective, risk_accepted;
	bool as_investigator, as_manager; /* whose answer it becomes */
	bool awaits_investigator, awaits_manager;
};
struct case_effect case_effect_after(const struct case_intent *intent);
/* The part of a deviation under a law; NULL: there is none. */
Avvik__V1__CasePart *case_part(const Avvik__V1__Case *found, Avvik__V1__Law law);
/* High under health care law: product or severity has reached its threshold (0: none is set). */
bool case_risk_is_high(
	uint32_t probability, uint32_t severity, uint32_t product_threshold, uint32_t severity_threshold);
bool case_task(const Avvik__V1__Case *found, const char *task); /* "unplaced", "reporter_unnamed" */
const Avvik__V1__Measure *case_measure(
	const Avvik__V1__Case *found, const void *id, size_t size); /* NULL: none */
/* Is the case with the lex Sarah officer: from its receipt until it is decided, or closed as a position? */
bool case_with_officer(const Avvik__V1__Case *found);
/* Does the role read more than that there is a case? A unit manager sees number, kind, state and times while
 * the case is with the lex Sarah officer (2.6 v), unless the manager is the investigator. */
bool case_role_reads(const Avvik__V1__Case *found, const char *role, const char *person);
bool case_role_limited(const char *role); /* of the unit itself: unit managers and staff */
/* Suspect lex Sarah: product and severity have both reached the rule pack's thresholds (0: no threshold is
 * set). */
bool case_suspects_lex_sarah(
	uint32_t probability, uint32_t severity, uint32_t product_threshold, uint32_t severity_threshold);

#endif
