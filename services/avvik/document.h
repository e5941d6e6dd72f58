/* document.h - the case document: what document_*.c share. Private to them.
 *
 * The page follows from the case, its events, its deadlines and (by grant) its contents. What an event holds is written by
 * the names of its fields, so that an act that is added to the protocol stands in the document as soon as its words do
 * (document_words.c), and until then by its own name.
 */
#ifndef AVVIK_DOCUMENT_H
#define AVVIK_DOCUMENT_H

#include "case_events.h"
#include "document_words.h"
#include "html.h"
#include "names.h"

#define DOCUMENT_WITHHELD "[lämnas ut endast efter prövning]"
#define DOCUMENT_ERASED "[innehållet är raderat]"

struct opened_part { /* one part of a content, as its holder opened it */
	struct av_id content_id;
	Avvik__V1__ContentPart part; /* UNSPECIFIED: the content is erased */
	const ProtobufCMessage *message;
};

struct document {
	struct tool *tool;
	struct names names;
	struct html html;
	const Avvik__V1__Case *found;
	const Avvik__V1__RulePack *rules; /* of the case; NULL: none */
	struct case_events events;	  /* of intake and workflow, in order */
	const Avvik__V1__DeadlinesFound *deadlines;
	struct opened_part *parts;
	size_t part_count;
	const Avvik__V1__Correction **corrections; /* of its contents, and of those of joined cases */
	size_t correction_count;
	struct case_events joined; /* intake's, of the reports that stand under the case */
	bool open;		   /* with content */
	const char *purpose;	   /* code; NULL: none was given */
	int64_t made_at_ms;
};

/* --- parts of the page, in its order --- */
void document_head(struct document *doc);      /* document_report.c */
void document_reports(struct document *doc);   /* the report, never changed, and what was added to it */
void document_joined(struct document *doc);    /* document_joins.c: other reports of the same event */
void document_remedies(struct document *doc);  /* what was done at once */
void document_informing(struct document *doc); /* who was told, the own file, the police */
void document_inquiry(struct document *doc);   /* document_inquiry.c: items 1 to 10 */
void document_decisions(struct document *doc);
void document_ivo(struct document *doc); /* document_outcome.c */
void document_measures(struct document *doc);
void document_closing(struct document *doc);
void document_deadlines(struct document *doc);
void document_corrections(struct document *doc); /* document_joins.c: what was filed by mistake */
void document_course(struct document *doc);	 /* every act in order */
void document_form(struct document *doc);	 /* document_form.c: what IVO's form asks for */
void document_footer(struct document *doc);

/* --- what they are made of (document_parts.c) --- */
#define DOCUMENT_PRINTF(doc, ...) av_arena_printf((doc)->tool->arena, __VA_ARGS__)

/* The part of a content; NULL: there is none, or it is not open. `*ret_erased` may be NULL. */
const ProtobufCMessage *document_part(const struct document *doc, const Avvik__V1__ContentRef *ref,
	Avvik__V1__ContentPart part, bool *ret_erased);
/* The last correction of what stands there now; NULL: it stands as it was written. */
const Avvik__V1__Correction *document_corrected(const struct document *doc, const Avvik__V1__ContentRef *ref);
void document_correction_note(struct document *doc, const Avvik__V1__ContentRef *ref);
const char *document_reason(const struct document *doc, const char *code);
/* One report, or what was added to it (document_report.c). */
void document_report(struct document *doc, const struct case_event *event, const char *title);
/* A table of facts: name and value a row. */
void document_facts_begin(struct document *doc, const char *caption);
void document_fact(struct document *doc, const char *name, const char *value); /* "": no row */
void document_fact_wanted(struct document *doc, const char *name, const char *value, const char *missing);
void document_facts_end(struct document *doc);
/* A name, and under it a text that somebody wrote. "" and NULL: nothing. */
void document_text(struct document *doc, const char *name, const char *text);
/* What is sealed as the text of an act, or that it is withheld or erased. `name` NULL: it needs none. */
void document_sealed(struct document *doc, const Avvik__V1__ContentRef *ref, const char *name);
/* One act: when, by whom, what its fields say, and its text. `title` NULL: by its own name. `level`: 3 or 4. */
void document_act(struct document *doc, const struct case_event *act, unsigned int level, const char *title);
/* All acts of a section, in order; answers how many. */
size_t document_acts(struct document *doc, enum document_section section);
void document_none(struct document *doc, const char *sentence);
/* "Saga Samordnare, socialt ansvarig samordnare"; without content the role alone. */
const char *document_author(struct document *doc, const char *person, const char *role);
/* The other system in which it was done, before the case was taken over; NULL: here. */
const char *document_from(const Avvik__V1__Event *event);
const char *document_actor(struct document *doc, const Avvik__V1__Event *event);
/* The content of an event; NULL: none. */
const Avvik__V1__ContentRef *document_content(const Avvik__V1__Event *event);
/* What an event tells of a field: "" when it has none, or not. */
const char *document_field(
	struct document *doc, const ProtobufCMessage *body, const struct document_field *field);
const char *document_times(struct document *doc, int64_t from_ms, int64_t until_ms);
const char *document_category(struct document *doc);
const char *document_laws(struct document *doc);
/* An event of that kind, the `n`th; NULL: none. */
const struct case_event *document_event(
	const struct document *doc, Avvik__V1__Event__BodyCase kind, size_t n);

#endif
