/* report_rules.h - which circumstances of a report are faults that are kept with it.
 *
 * Pure. A report that could be read is never refused here: every fault is listed, what is no code is kept out
 * of the event (it is sealed with the narrative), and the flags say what somebody has to complete.
 */
#ifndef INTAKE_REPORT_RULES_H
#define INTAKE_REPORT_RULES_H

#include "avvik/v1/report.pb-c.h"
#include "avvik/v1/rules.pb-c.h"
#include "org/org.h"
#include "wire/message.h"

#define REPORT_FUTURE_MS INT64_C(300000) /* clocks differ: five minutes ahead is not in the future */
#define REPORT_UNREAD_MAX 5

struct report_view {
	const struct av_org *org;	  /* NULL: no directory has been published */
	const Avvik__V1__RulePack *rules; /* in force on the day it was received; NULL: none */
	int64_t now_ms;
};

struct report_found {
	bool placed; /* the unit is a leaf of the directory */
	bool reporter_named;
	bool contact_given; /* the reporter can be answered by mail */
	int64_t received_at_ms;
	/* What may stand in the event: as sent, or empty. */
	const char *unit, *category, *subcategory, *registry_number, *source_system;
	/* What was sent where a code belongs, and is none. */
	struct {
		const char *path, *value;
	} unread[REPORT_UNREAD_MAX];
	size_t unread_count;
};

/* When it was received: as said, or now. */
int64_t report_received_ms(int64_t said_ms, int64_t now_ms);
void report_check(const Avvik__V1__FileReport *report, const struct report_view *view,
	struct av_faults *faults, struct report_found *ret_found);
/* A supplement that says nothing is refused (AV_INVALID): the report it would add to is kept already. Other
 * faults are kept. */
int supplement_check(const Avvik__V1__SupplementReport *supplement, int64_t now_ms, struct av_faults *faults);
/* What the event says of the attachments. NULL when out of memory. */
Avvik__V1__AttachmentFiled **attachments_filed(
	Avvik__V1__Attachment **attachments, size_t count, struct av_arena *arena);

#endif
