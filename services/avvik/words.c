/* words.c - events as sentences that a case officer understands: one row per type of event.
 *
 * An event without a row, or whose row answers NULL, says nothing: figures, contacts, what daemons keep for themselves.
 */
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/date.h"
#include "base/macros.h"
#include "base/status.h"

struct known_case {
	struct av_id id;
	char number[24], unit[48];
	bool lex_sarah;
	UT_hash_handle hh;
};

/* What one sentence is made of. */
struct saying {
	struct words *words;
	struct av_arena *arena;
	const Avvik__V1__Event *event;
	enum tool_daemon daemon;
};

#define SAY(...) av_arena_printf(say->arena, __VA_ARGS__)

/* --- parts of sentences --- */

static struct known_case *case_keep(struct words *words, ProtobufCBinaryData id)
{
	struct known_case *known = NULL;

	if (id.len != AV_ID_SIZE)
		return NULL;
	HASH_FIND(hh, words->cases, id.data, AV_ID_SIZE, known);
	if (known)
		return known;
	known = calloc(1, sizeof *known);
	if (!known)
		return NULL;
	memcpy(known->id.bytes, id.data, AV_ID_SIZE);
	HASH_ADD(hh, words->cases, id, AV_ID_SIZE, known);
	if (!known->hh.tbl) {
		free(known);
		return NULL;
	}
	return known;
}

/* A case whose opening was not among the events. */
static void case_ask(struct words *words, struct known_case *known)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__GetCase query = AVVIK__V1__GET_CASE__INIT;

	query.case_id = (ProtobufCBinaryData){AV_ID_SIZE, known->id.bytes};
	command.body_case = AVVIK__V1__COMMAND__BODY_GET_CASE;
	command.get_case = &query;
	snprintf(known->number, sizeof known->number, "?");
	Avvik__V1__Reply *reply = tool_call(words->names.tool, DAEMON_WORKFLOW, &command);
	if (reply && reply->body_case == AVVIK__V1__REPLY__BODY_CASE_FOUND && reply->case_found->case_) {
		const Avvik__V1__Case *found = reply->case_found->case_;
		snprintf(known->number, sizeof known->number, "%s", found->number);
		snprintf(known->unit, sizeof known->unit, "%s", found->unit);
		known->lex_sarah = found->kind == AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
	}
	tool_reply_free(&reply);
}

/* "Case 2026-0007 (lex Sarah, Solgläntan)" */
static const char *subject(const struct saying *say)
{
	struct known_case *known = case_keep(say->words, say->event->case_id);

	if (!known)
		return "A case";
	if (!*known->number)
		case_ask(say->words, known);
	return SAY("Case %s (%s%s%s)", known->number, known->lex_sarah ? "lex Sarah" : "deviation", *known->unit ? ", " : "",
		names_unit(&say->words->names, known->unit));
}

/* "Monday 22 June", with the year when it is another than the event's. */
static const char *day(const struct saying *say, int32_t on)
{
	static const char *const weekdays[] = {
		"", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
	static const char *const months[] = {"", "January", "February", "March", "April", "May", "June", "July",
		"August", "September", "October", "November", "December"};
	struct av_date date = av_date_of(on), now = av_date_of(av_local_day(say->event->recorded_at_ms));

	if (!on)
		return "an unknown day";
	if (date.year == now.year)
		return SAY("%s %d %s", weekdays[av_weekday(on)], date.day, months[date.month]);
	return SAY("%s %d %s %d", weekdays[av_weekday(on)], date.day, months[date.month], date.year);
}

static const char *enum_words(const struct saying *say, const ProtobufCEnumDescriptor *type, int value)
{
	char *text = av_arena_strdup(say->arena, value ? av_enum_name(type, value) : "");

	for (char *c = text; c && *c; c++)
		if (*c == '_')
			*c = ' ';
	return text ? text : "";
}

static const char *degree(const struct saying *say, Avvik__V1__Degree value)
{
	switch (value) {
	case AVVIK__V1__DEGREE__DEGREE_NONE:
		return "no misconduct";
	case AVVIK__V1__DEGREE__DEGREE_RISK:
		return "a tangible risk of misconduct";
	case AVVIK__V1__DEGREE__DEGREE_MISCONDUCT:
		return "a misconduct";
	case AVVIK__V1__DEGREE__DEGREE_SERIOUS_RISK:
		return "a tangible risk of serious misconduct";
	case AVVIK__V1__DEGREE__DEGREE_SERIOUS:
		return "a serious misconduct";
	default:
		return enum_words(say, &avvik__v1__degree__descriptor, (int)value);
	}
}

/* "by sas.lindaker", "" when nobody is named. */
static const char *by(const struct saying *say)
{
	const Avvik__V1__Actor *actor = say->event->actor;
	return actor && *actor->person ? SAY(" (by %s)", actor->person) : "";
}

static const char *deadline_name(const struct saying *say, const char *rule)
{
	return names_deadline(&say->words->names, NULL, rule, false);
}

static const char *joined(const struct saying *say, char *const *items, size_t count)
{
	const char *text = "";
	for (size_t i = 0; i < count; i++)
		text = SAY("%s%s%s", text, i ? ", " : "", items[i]);
	return text;
}

/* --- intake --- */

static const char *say_report_filed(struct saying *say)
{
	const Avvik__V1__ReportFiled *body = say->event->report_filed;
	const char *missing = "", *kind = body->type == AVVIK__V1__REPORT_TYPE__REPORT_TYPE_DEVIATION ? "A deviation report"
					  : body->type == AVVIK__V1__REPORT_TYPE__REPORT_TYPE_LEX_SARAH
						  ? "A lex Sarah report"
						  : "A lex Sarah report of a risk";

	for (size_t i = 0; i < body->n_faults; i++)
		missing = SAY("%s%s%s", missing, i ? ", " : "; to be completed: ", body->faults[i]->path);
	return SAY("%s arrives from %s%s%s%s%s", kind, *body->source_system ? body->source_system : body->principal,
		*body->unit ? ", about " : "", names_unit(&say->words->names, body->unit),
		body->protected_identity ? ", protected identity" : "", missing);
}

static const char *say_report_supplemented(struct saying *say)
{
	return SAY("%s: more facts arrive from %s", subject(say), say->event->report_supplemented->principal);
}

static const char *say_directory_published(struct saying *say)
{
	const Avvik__V1__Directory *directory = say->event->directory_published->directory;

	if (!directory || say->daemon != DAEMON_INTAKE)
		return NULL;
	return SAY("The organisation of %s is published: %zu units, %zu people (directory %s)",
		*directory->name ? directory->name : "the committee", directory->n_units, directory->n_people,
		directory->version);
}

static const char *say_rules_published(struct saying *say)
{
	const Avvik__V1__RulePack *rules = say->event->rules_published->rules;

	if (!rules)
		return NULL;
	return SAY("The rule pack %s is published, for reports received from %s: %zu deadlines, %zu rules about who is told",
		rules->version, day(say, rules->valid_from_on), rules->n_deadlines, rules->n_notices);
}

/* --- every daemon --- */

static const char *say_principals_changed(struct saying *say)
{
	const Avvik__V1__PrincipalsChanged *body = say->event->principals_changed;

	if (!body->n_changed && !body->n_removed)
		return NULL; /* the first reading of the file */
	return SAY("%s: who may talk to it has changed%s%s%s%s%s%s", daemon_names[say->daemon],
		body->n_added ? "; added " : "", joined(say, body->added, body->n_added), body->n_changed ? "; changed " : "",
		joined(say, body->changed, body->n_changed), body->n_removed ? "; removed " : "",
		joined(say, body->removed, body->n_removed));
}

static const char *say_quarantine_resolved(struct saying *say)
{
	const Avvik__V1__QuarantineResolved *body = say->event->quarantine_resolved;
	return SAY("%s: event %llu of %s, which could not be handled, is %s: %s", daemon_names[say->daemon],
		(unsigned long long)body->sequence, body->feed,
		body->action == AVVIK__V1__QUARANTINE_ACTION__QUARANTINE_ACTION_DROP ? "dropped" : "tried again",
		body->reason ? body->reason->text : "");
}

static const char *say_feed_resolved(struct saying *say)
{
	const Avvik__V1__FeedResolved *body = say->event->feed_resolved;
	return SAY("%s: the feed of %s goes on after a decision: %s", daemon_names[say->daemon], body->feed,
		body->reason ? body->reason->text : "");
}

static const char *say_journal_restored(struct saying *say)
{
	return SAY("%s was restored from a backup, as it was after event %llu", daemon_names[say->daemon],
		(unsigned long long)say->event->journal_restored->sequence);
}

static const char *say_item_set_aside(struct saying *say)
{
	return SAY("%s set aside something from %s that it could not take: an administrator must look",
		daemon_names[say->daemon], say->event->item_set_aside->source);
}

static const char *say_content_read(struct saying *say)
{
	const Avvik__V1__ContentRead *body = say->event->content_read;
	return SAY("%s: %s read what %s keeps of it (%s)", subject(say), body->person, daemon_names[say->daemon],
		body->purpose);
}

static const char *say_content_erased(struct saying *say)
{
	const Avvik__V1__ContentErased *body = say->event->content_erased;

	if (!say->event->case_id.len)
		return NULL; /* an address that was superseded */
	return SAY("%s: content in %s was erased (%s)%s", subject(say), daemon_names[say->daemon], body->reason, by(say));
}

/* --- workflow: the case --- */

static const char *say_case_opened(struct saying *say)
{
	const Avvik__V1__CaseOpened *body = say->event->case_opened;
	struct known_case *known = case_keep(say->words, say->event->case_id);
	const char *waits = "";

	if (known) {
		snprintf(known->number, sizeof known->number, "%s", body->number);
		snprintf(known->unit, sizeof known->unit, "%s", body->unit);
		known->lex_sarah = body->kind == AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
	}
	if (body->state == AVVIK__V1__CASE_STATE__CASE_STATE_INCOMPLETE)
		waits = !body->placed && known && known->lex_sarah && !body->reporter_named
				? "; waits for its unit and for the reporter's name"
			: !body->placed ? "; waits for its unit"
					: "; waits for the reporter's name";
	return SAY("%s is opened, received %s%s", subject(say), day(say, av_local_day(body->received_at_ms)), waits);
}

static const char *say_case_placed(struct saying *say)
{
	const Avvik__V1__CasePlaced *body = say->event->case_placed;
	struct known_case *known = case_keep(say->words, say->event->case_id);
	const char *before = subject(say);

	if (known)
		snprintf(known->unit, sizeof known->unit, "%s", body->unit);
	return SAY("%s is placed at %s%s", before, names_unit(&say->words->names, body->unit), by(say));
}

static const char *say_reporter_named(struct saying *say)
{
	return SAY("%s: the reporter is named%s", subject(say), by(say));
}

static const char *say_case_remedied(struct saying *say)
{
	const Avvik__V1__CaseRemedied *body = say->event->case_remedied;

	if (body->by_report)
		return SAY("%s: the report says that something was done at once", subject(say));
	return SAY("%s: %s%s", subject(say), body->none_needed ? "nothing needs to be remedied" : "remedied", by(say));
}

static const char *say_affected_informed(struct saying *say)
{
	return SAY("%s: the person concerned %s%s", subject(say),
		say->event->affected_informed->informed ? "is informed" : "is not informed, and why is noted", by(say));
}

static const char *say_assessed_initially(struct saying *say)
{
	const Avvik__V1__CaseAssessedInitially *body = say->event->case_assessed_initially;

	if (!body->investigate)
		return SAY("%s: initial assessment, %s: to be closed as a recorded position%s", subject(say),
			degree(say, body->preliminary_degree), by(say));
	return SAY("%s: initial assessment, %s: %s is to investigate%s", subject(say), degree(say, body->preliminary_degree),
		*body->investigator ? body->investigator : "somebody", by(say));
}

static const char *say_serious_found(struct saying *say)
{
	return SAY("%s is found serious: IVO must be notified%s", subject(say), by(say));
}

static const char *say_entry_recorded(struct saying *say)
{
	const Avvik__V1__EntryRecorded *body = say->event->entry_recorded;
	return SAY("%s: the investigation documents item %u (%s)%s", subject(say), body->item,
		enum_words(say, &avvik__v1__entry_nature__descriptor, (int)body->nature), by(say));
}

static const char *say_investigation_completed(struct saying *say)
{
	return SAY("%s: the investigation is finished and locked, and proposes: %s%s", subject(say),
		degree(say, say->event->investigation_completed->proposed_degree), by(say));
}

static const char *say_case_decided(struct saying *say)
{
	const Avvik__V1__CaseDecided *body = say->event->case_decided;
	return SAY("%s is decided: %s%s%s", subject(say), degree(say, body->degree),
		body->ivo == AVVIK__V1__IVO_STATE__IVO_STATE_REQUIRED ? "; IVO must be notified" : "", by(say));
}

static const char *say_ivo_notified(struct saying *say)
{
	const Avvik__V1__IvoNotified *body = say->event->ivo_notified;
	return SAY("%s: IVO is notified (%s), %s%s", subject(say), body->registry_number,
		body->investigation_attached ? "with the investigation" : "the investigation is to follow", by(say));
}

static const char *say_investigation_handed_in(struct saying *say)
{
	return SAY("%s: the investigation is handed in to IVO%s", subject(say), by(say));
}

static const char *say_measure_decided(struct saying *say)
{
	const Avvik__V1__MeasureDecided *body = say->event->measure_decided;
	return SAY("%s: a measure is decided; %s is to do it by %s%s", subject(say), body->responsible,
		day(say, body->planned_end_on), by(say));
}

static const char *say_no_measures(struct saying *say)
{
	return SAY("%s: no measures are needed%s", subject(say), by(say));
}

static const char *say_measure_executed(struct saying *say)
{
	return SAY("%s: a measure is done%s", subject(say), by(say));
}

static const char *say_measure_evaluated(struct saying *say)
{
	const Avvik__V1__MeasureEvaluated *body = say->event->measure_evaluated;
	return SAY("%s: the measure %s%s", subject(say),
		body->effective	    ? "has had its effect"
		: body->accept_risk ? "has had no effect; the risk is accepted"
				    : "has had no effect: another is needed",
		by(say));
}

static const char *say_case_closed(struct saying *say)
{
	const Avvik__V1__CaseClosed *body = say->event->case_closed;
	return SAY("%s is closed%s%s", subject(say), body->as_position ? " as a recorded position" : "", by(say));
}

static const char *say_deviation_assessed(struct saying *say)
{
	const Avvik__V1__DeviationAssessed *body = say->event->deviation_assessed;
	return SAY("%s is assessed: probability %u, severity %u%s%s", subject(say), body->probability, body->severity,
		body->suspect_lex_sarah ? "; a lex Sarah report should be considered" : "", by(say));
}

static const char *say_turned(struct saying *say)
{
	struct known_case *known = case_keep(say->words, say->event->case_id);
	const char *before = subject(say);

	if (known)
		known->lex_sarah = true;
	return SAY("%s is turned into a lex Sarah case%s", before, by(say));
}

static const char *say_case_supplemented(struct saying *say)
{
	return SAY("%s: later facts are added to the report", subject(say));
}

static const char *say_rules_set(struct saying *say)
{
	return SAY("%s is handled under the rule pack %s", subject(say), say->event->case_rules_set->rules_version);
}

/* --- workflow: deadlines --- */

static const char *say_deadline_set(struct saying *say)
{
	const Avvik__V1__Deadline *deadline = say->event->deadline_set->deadline;

	if (!deadline)
		return NULL;
	return SAY("%s: to %s by %s%s%s", subject(say),
		names_deadline(&say->words->names, deadline->rules_version, deadline->rule, false), day(say, deadline->due_on),
		deadline->due_on != deadline->nominal_on && deadline->moved
			? SAY(" (moved from %s)", day(say, deadline->nominal_on))
			: "",
		deadline->statutory ? ", a statutory deadline" : "");
}

static const char *say_deadline_met(struct saying *say)
{
	const Avvik__V1__DeadlineMet *body = say->event->deadline_met;
	return SAY("%s: %s, %s", subject(say), deadline_name(say, body->rule),
		body->late	      ? "done too late"
		: body->recorded_late ? "done in time, recorded late"
				      : "done in time");
}

static const char *say_deadline_cancelled(struct saying *say)
{
	const Avvik__V1__DeadlineCancelled *body = say->event->deadline_cancelled;
	return SAY("%s: %s is no longer needed, since %s", subject(say), deadline_name(say, body->rule),
		names_anchor(body->because, false));
}

static const char *say_rung_fired(struct saying *say)
{
	const Avvik__V1__RungFired *body = say->event->rung_fired;
	const char *what = deadline_name(say, body->rule), *due = day(say, body->due_on);
	const char *to = names_recipients(&say->words->names, body->to, body->n_to, false);
	const char *late = body->late ? " (late: the system was stopped)" : "";

	switch (body->kind) {
	case AVVIK__V1__RUNG_KIND__RUNG_KIND_WARNING:
		return SAY("%s: reminder to %s by %s, to %s%s", subject(say), what, due, to, late);
	case AVVIK__V1__RUNG_KIND__RUNG_KIND_DUE:
		return SAY("%s: today is the last day to %s, to %s%s", subject(say), what, to, late);
	case AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE:
		return SAY("%s: OVERDUE, to %s was due %s, to %s%s", subject(say), what, due, to, late);
	default:
		return SAY("%s: ESCALATED, to %s was due %s and is not done, to %s%s", subject(say), what, due, to, late);
	}
}

/* --- notification --- */

static const char *say_notice_decided(struct saying *say)
{
	const Avvik__V1__Notice *notice = say->event->notice_decided->notice;

	if (!notice)
		return NULL;
	return SAY("%s: %s to %s%s%s%s", subject(say),
		notice->kind == AVVIK__V1__NOTICE_KIND__NOTICE_KIND_EXISTS
			? "mail that the case exists"
			: SAY("mail (%s)", enum_words(say, &avvik__v1__notice_kind__descriptor, (int)notice->kind)),
		*notice->person ? notice->person : "the reporter",
		*notice->person && *notice->role ? SAY(", %s", names_role(&say->words->names, notice->role, false)) : "",
		*notice->deputy_for ? SAY(", deputy for %s", notice->deputy_for) : "",
		notice->not_before_ms > notice->decided_at_ms ? ", after the quiet hours" : "");
}

static const char *say_notice_given_up(struct saying *say)
{
	const Avvik__V1__NoticeGivenUp *body = say->event->notice_given_up;
	return SAY("%s: a mail could not be delivered and is GIVEN UP after %u attempts (%s)", subject(say), body->attempts,
		body->error);
}

static const char *say_notice_unreachable(struct saying *say)
{
	const Avvik__V1__NoticeUnreachable *body = say->event->notice_unreachable;
	return SAY("%s: NOBODY was told by rule %s: %s at %s: %s", subject(say), body->rule,
		names_role(&say->words->names, body->role, false), names_unit(&say->words->names, body->unit), body->why);
}

static const char *say_notice_retried(struct saying *say)
{
	const Avvik__V1__ReasonGiven *reason = say->event->notice_retried->reason;
	return SAY("%s: a mail that was given up is tried again: %s", subject(say), reason ? reason->text : "");
}

/* clang-format off */
#define E(name) AVVIK__V1__EVENT__BODY_##name
static const struct {
	Avvik__V1__Event__BodyCase event;
	const char *(*say)(struct saying *say);
} sayings[] = {
	{E(PRINCIPALS_CHANGED),      say_principals_changed},
	{E(QUARANTINE_RESOLVED),     say_quarantine_resolved},
	{E(FEED_RESOLVED),           say_feed_resolved},
	{E(JOURNAL_RESTORED),        say_journal_restored},
	{E(ITEM_SET_ASIDE),          say_item_set_aside},
	{E(CONTENT_READ),            say_content_read},
	{E(CONTENT_ERASED),          say_content_erased},
	{E(REPORT_FILED),            say_report_filed},
	{E(REPORT_SUPPLEMENTED),     say_report_supplemented},
	{E(DIRECTORY_PUBLISHED),     say_directory_published},
	{E(RULES_PUBLISHED),         say_rules_published},
	{E(CASE_OPENED),             say_case_opened},
	{E(CASE_PLACED),             say_case_placed},
	{E(REPORTER_NAMED),          say_reporter_named},
	{E(CASE_REMEDIED),           say_case_remedied},
	{E(AFFECTED_INFORMED),       say_affected_informed},
	{E(CASE_ASSESSED_INITIALLY), say_assessed_initially},
	{E(SERIOUS_FOUND),           say_serious_found},
	{E(ENTRY_RECORDED),          say_entry_recorded},
	{E(INVESTIGATION_COMPLETED), say_investigation_completed},
	{E(CASE_DECIDED),            say_case_decided},
	{E(IVO_NOTIFIED),            say_ivo_notified},
	{E(INVESTIGATION_HANDED_IN), say_investigation_handed_in},
	{E(MEASURE_DECIDED),         say_measure_decided},
	{E(NO_MEASURES_DECIDED),     say_no_measures},
	{E(MEASURE_EXECUTED),        say_measure_executed},
	{E(MEASURE_EVALUATED),       say_measure_evaluated},
	{E(CASE_CLOSED),             say_case_closed},
	{E(DEVIATION_ASSESSED),      say_deviation_assessed},
	{E(CASE_TURNED_LEX_SARAH),   say_turned},
	{E(CASE_SUPPLEMENTED),       say_case_supplemented},
	{E(CASE_RULES_SET),          say_rules_set},
	{E(DEADLINE_SET),            say_deadline_set},
	{E(DEADLINE_MET),            say_deadline_met},
	{E(DEADLINE_CANCELLED),      say_deadline_cancelled},
	{E(RUNG_FIRED),              say_rung_fired},
	{E(NOTICE_DECIDED),          say_notice_decided},
	{E(NOTICE_GIVEN_UP),         say_notice_given_up},
	{E(NOTICE_UNREACHABLE),      say_notice_unreachable},
	{E(NOTICE_RETRIED),          say_notice_retried},
};
/* clang-format on */

const char *words_of(struct words *words, enum tool_daemon daemon, const Avvik__V1__Event *event, struct av_arena *arena)
{
	struct saying say = {words, arena, event, daemon};

	for (size_t i = 0; i < AV_COUNT(sayings); i++)
		if (sayings[i].event == event->body_case)
			return sayings[i].say(&say);
	return NULL;
}

void words_end(struct words *words)
{
	struct known_case *known, *next;

	HASH_ITER (hh, words->cases, known, next) {
		HASH_DEL(words->cases, known);
		free(known);
	}
}
