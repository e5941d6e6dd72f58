/* notification_support.h - a small town, its rule pack and its cases, told to notification by the feeds. */
#ifndef AVVIK_TESTS_NOTIFICATION_SUPPORT_H
#define AVVIK_TESTS_NOTIFICATION_SUPPORT_H

#include <string.h>
#include "attempts_store.h"
#include "harness.h"
#include "notification_service.h"
#include "outcome.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define CASE_STATE(name) AVVIK__V1__CASE_STATE__CASE_STATE_##name
#define NOTICE_STATE(name) AVVIK__V1__NOTICE_STATE__NOTICE_STATE_##name
#define DEVIATION AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION
#define LEX_SARAH AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH

/* Opened on Tuesday 2026-04-07 at 09:00, and started: delivery has begun. Nothing has been told yet. */
struct harness *town_open(void);
void town_started(struct harness *h); /* after a restart too */
/* Directory and rules. anna is EC at solen, bo her deputy when `anna_away`, dan SAS, rita REGISTRATOR at the
 * committee. */
void town_told(struct harness *h);
Avvik__V1__Event *town_rules(struct harness *h);
struct told_directory {
	Avvik__V1__Event *event;
	Avvik__V1__OpenedPart **parts;
	size_t count;
};
struct told_directory town_directory(struct harness *h, bool anna_away, const char *anna_mail);
int town_tell_directory(struct harness *h, struct told_directory directory);

struct av_id town_id(unsigned char number);
/* The report that a case comes from; mail NULL: the reporter left no address. */
int town_report(struct harness *h, struct av_id case_id, const char *mail);
/* The reporter's address was wrong: workflow tells the right one, in another content; mail NULL: there is none. */
int town_corrected(struct harness *h, struct av_id case_id, const char *mail);
/* Intake has erased the report. */
int town_report_erased(struct harness *h, struct av_id case_id);
Avvik__V1__Event *town_opened(struct harness *h, struct av_id case_id, Avvik__V1__CaseKind kind,
	const char *unit, Avvik__V1__CaseState state);
Avvik__V1__Event *town_closed(struct harness *h, struct av_id case_id);
/* A rung of D5 (statutory) or D2, overdue, to the SAS. */
Avvik__V1__Event *town_rung(struct harness *h, struct av_id case_id, const char *rule, bool late);
int town_tell(struct harness *h, Avvik__V1__Event *event); /* by workflow */

/* "N1:anna N2:reporter", in the order they were decided. */
const char *town_notices(struct harness *h);
/* What is under way after the time has been moved; at most UNDERWAY_MAX. */
size_t town_under_way(struct harness *h, struct underway *ret_mails);
/* How the one mail that is under way ended. */
void town_ends(struct harness *h, enum outcome outcome, bool perhaps_sent);
void town_all_delivered(struct harness *h);

#endif
