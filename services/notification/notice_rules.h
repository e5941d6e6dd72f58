/* notice_rules.h - who is told what: pure rules over a case's facts, a rule pack and the organisation.
 *
 * An event is matched against the notification matrix of the pack that the case was opened under. What comes
 * of it is a list of decisions, each either a person who is told or a recipient that reached nobody. Time is
 * an argument.
 */
#ifndef NOTIFICATION_NOTICE_RULES_H
#define NOTIFICATION_NOTICE_RULES_H

#include "avvik/v1/envelope.pb-c.h"
#include "org/org.h"

#define NOTICE_DECISIONS_MAX 256 /* of one event; more are counted as unreachable "too_many" */
#define NOTICE_GATHER_MS 60000	 /* late rungs wait so long for each other, to share a mail */

struct notice_question {
	const Avvik__V1__Event *event;
	const Avvik__V1__CaseKnown *before; /* NULL: the case is opened by the event */
	const Avvik__V1__CaseKnown *after;
	const Avvik__V1__RulePack *pack;
	const struct av_org *org;
	bool reporter_has_mail;
	int64_t now_ms;
};

struct notice_decision {
	const char *rule, *event, *template, *role;
	Avvik__V1__NoticeKind kind;
	const char *person;	/* "" with role "reporter": the reporter; NULL: nobody was reached */
	const char *deputy_for; /* NULL: none */
	const char *unit;	/* where the search began */
	const char *why;	/* of nobody: a code, see enum below */
	int64_t not_before_ms;
	const Avvik__V1__RungFired *rung; /* NULL: not a rung */
};

/* Why a recipient reached nobody. */
#define UNREACHABLE_NO_HOLDER "no_holder"	    /* nobody holds the role there or above */
#define UNREACHABLE_NO_RESPONSIBLE "no_responsible" /* the case names nobody */
#define UNREACHABLE_NO_ACTOR "no_actor"		    /* the event has no acting person */
#define UNREACHABLE_NO_CONTACT "no_contact"	    /* the reporter left no address: kept, no alarm */
#define UNREACHABLE_TOO_MANY "too_many"

/* Each (rule, person) stands at most once. Informational copies leave out the one who acted; of a case
 * that was closed before only feedback goes out, rungs of what runs on, and what the rule pack says so of.
 * *ret_matched: a rule was concerned, whether or not anyone was reached. AV_OK, AV_MEMORY. */
int notices_decide(const struct notice_question *question, struct av_arena *arena,
	struct notice_decision **ret_decisions, size_t *ret_count, bool *ret_matched);

/* The first instant at or after now_ms that is not quiet; now_ms when there are no quiet hours. */
int64_t notice_after_quiet(const Avvik__V1__QuietHours *quiet, int64_t now_ms);

/* How long to wait after the given number of failed attempts; negative: give up. In all about a day. */
int64_t notice_retry_ms(unsigned int attempts);

/* The unit where the search for a case begins: its own, or the committee's while that is not known. NULL: no
 * units. */
const Avvik__V1__Unit *notice_unit(const struct av_org *org, const char *unit);
/* "own", "private", …; "" for one that is not known. */
const char *notice_operation(int operation);

#endif
