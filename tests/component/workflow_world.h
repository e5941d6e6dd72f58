/* workflow_world.h - a small municipality for the component tests of the workflow: a directory, the real rule
 * pack, people.
 *
 *	soc (committee) > forv (administration) > aldre (department) > boendet, hemtjanst (leaves)
 *	                                          lss                > gruppen (leaf)
 *	sara SAS, lena LEX_ANSV, eva LEX_UTR, fia FC at forv; reg REGISTRATOR at soc; alf AC at aldre;
 *	anna EC at boendet; bo EC at hemtjanst; mia MAS at forv;
 *	dan has no role but stands in for sara in July 2026
 */
#ifndef AVVIK_TESTS_WORKFLOW_WORLD_H
#define AVVIK_TESTS_WORKFLOW_WORLD_H

#include "harness.h"
#include "workflow.h"

struct world {
	struct harness *h;
	struct av_principal cases,
		publisher; /* a case system with all rights for all units; who filed the reports */
	unsigned int references;
};

#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name
#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define COMMAND(name) AVVIK__V1__COMMAND__BODY_##name
#define REPLY(name) AVVIK__V1__REPLY_STATUS__REPLY_STATUS_##name
#define STATE(name) AVVIK__V1__CASE_STATE__CASE_STATE_##name
#define DEGREE(name) AVVIK__V1__DEGREE__DEGREE_##name
#define IVO(name) AVVIK__V1__IVO_STATE__IVO_STATE_##name
#define ENDED(name) AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_##name

void world_open(struct world *world, const char *now);	    /* directory and rules published */
void world_open_bare(struct world *world, const char *now); /* neither */
void world_close(struct world *world);
void world_publish_directory(
	struct world *world, const char *more_units);		    /* YAML lines under `units:`, or NULL */
void world_publish_people(struct world *world, const char *people); /* "people:\n  - …", of the same units */
void world_publish_rules(struct world *world);
Avvik__V1__RulePack *world_rules(struct world *world);	   /* the file, not published */
Avvik__V1__RulePack *world_old_rules(struct world *world); /* of the law before, until 2025-06-30 */
void world_publish_changed(
	struct world *world, Avvik__V1__RulePack *rules); /* such a pack, changed by the test */

/* A lex Sarah report for boendet with a named reporter, received now; change it before it is filed. */
Avvik__V1__ReportFiled *world_report(struct world *world);
Avvik__V1__ReportFiled *world_deviation(struct world *world);
struct av_id world_file(struct world *world, Avvik__V1__ReportFiled *report); /* answers the case's id */
/* The same, without a named reporter. */
struct av_id world_file_unnamed(struct world *world, Avvik__V1__ReportFiled *report);

Avvik__V1__Case *world_case(struct world *world, const struct av_id *id);
/* An act with the current version; `acted` NULL: now. */
Avvik__V1__Reply *world_act(struct world *world, const char *person, const struct av_id *id, unsigned int act,
	ProtobufCMessage *body, const char *acted);
/* The same, which must be done. */
Avvik__V1__ActAccepted *world_does(struct world *world, const char *person, const struct av_id *id,
	unsigned int act, ProtobufCMessage *body, const char *acted);
Avvik__V1__Reply *world_ask(struct world *world, unsigned int number, ProtobufCMessage *body);
/* The deadline of a rule (of a measure, or the first); fails when there is none. */
Avvik__V1__Deadline *world_deadline(struct world *world, const struct av_id *id, const char *rule);
/* One of several of a rule, in the order in which they were set, from 1; and the last of them. */
Avvik__V1__Deadline *world_nth(struct world *world, const struct av_id *id, const char *rule, size_t number);
Avvik__V1__Deadline *world_last(struct world *world, const struct av_id *id, const char *rule);
size_t world_deadlines(struct world *world, const struct av_id *id); /* how many */
void world_want_instant(int64_t got, const char *want);		     /* "2026-06-22T08:00:00+02:00" */
void world_want_day(int32_t got, const char *want);
/* `words` stand in the refusal's sentence (a guard's) or in a fault's (a field's). */
void world_want_refused(const Avvik__V1__Reply *reply, Avvik__V1__ReplyStatus status, const char *words);
/* `words` stand in the first fault. */
void world_want_fault(const Avvik__V1__Reply *reply, Avvik__V1__ReplyStatus status, const char *words);

/* Steps of the main line, with all that they need. */
void world_investigate(struct world *world, const struct av_id *id); /* assessed, eva investigates */
void world_document(struct world *world, const struct av_id *id);    /* all items, completed */
void world_decide(struct world *world, const struct av_id *id, Avvik__V1__Degree degree);
struct av_id world_decided(struct world *world, Avvik__V1__Degree degree); /* a new case, all of these */
struct av_id world_measure(
	struct world *world, const struct av_id *id, const char *end); /* decided; answers its id */
void world_execute(struct world *world, const struct av_id *id, struct av_id measure);
/* By the investigator, if the case has one, and by the manager. */
void world_evaluate(
	struct world *world, const struct av_id *id, struct av_id measure, bool effective, bool accept_risk);
/* Steps beside it: a position that it is no misconduct; a deviation becomes lex Sarah; what goes to IVO. */
void world_take_position(struct world *world, const struct av_id *id);
Avvik__V1__ActAccepted *world_turn(struct world *world, const char *person, const struct av_id *id);
Avvik__V1__ActAccepted *world_find_serious(struct world *world, const struct av_id *id);
void world_notify(struct world *world, const struct av_id *id, bool attached);

#define TEXT(literal) ((char *)(uintptr_t)(literal))
#define BINARY(id) ((ProtobufCBinaryData){AV_ID_SIZE, (id).bytes})

#endif
