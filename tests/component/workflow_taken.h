/* workflow_taken.h - cases of another system for the tests of taking over, as the file has them */
#ifndef AVVIK_TESTS_WORKFLOW_TAKEN_H
#define AVVIK_TESTS_WORKFLOW_TAKEN_H

#include "workflow_world.h"

#define NOW "2026-02-02 09:00" /* a Monday */

/* Notified to IVO without the investigation, which was to be handed in by Monday 12 January: overdue. */
#define HEAD "external_id: LS-31\nstate: investigation\n"
#define REPORT                                                                                            \
	"report: { type: lex_sarah, unit: boendet, received_at: 2025-10-06, laws: [lss], category: EKO, " \
	"narrative: { description: pengar saknas } }\n"
#define REMEDY "- { acted_at: 2025-10-06, done_by: 'Eva Ek, enhetschef', remedy: { text: kassan är låst } }\n"
#define ASSESS                                                                                              \
	"- { acted_at: 2025-10-20, assess_initially: { preliminary_degree: misconduct, investigate: true, " \
	"investigator: eva, motive: utreds } }\n"
#define SERIOUS "- { acted_at: 2025-11-10, find_serious: { motive: upprepat } }\n"
#define NOTIFY "- { acted_at: 2025-11-11, notify_ivo: { registry_number: SN 2025/141 } }\n"
#define LS31 HEAD REPORT "acts:\n" REMEDY ASSESS SERIOUS NOTIFY

Avvik__V1__TakeoverCase *taken_case(struct world *w, const char *text); /* YAML */
/* An order under a reference of its own; the same by somebody else; a trial. */
Avvik__V1__Reply *take(struct world *w, const char *text);
Avvik__V1__Reply *take_as(struct world *w, const struct av_principal *principal, const char *text);
Avvik__V1__Reply *take_trial(struct world *w, const char *text);
struct av_id taken(struct world *w, const char *text); /* which must be done: the case's id */

#endif
