/* workflow_correcting.c - what was filed by mistake is erased and corrected, and the trace of it stays */
#include "workflow_world.h"

#include <stdio.h>
#include <string.h>

#include "store/content.h"

static Avvik__V1__CorrectContent correction_of(ProtobufCBinaryData content_id)
{
	Avvik__V1__CorrectContent correct = AVVIK__V1__CORRECT_CONTENT__INIT;
	correct.content_id = content_id;
	correct.reason = TEXT("rattelse");
	return correct;
}

static Avvik__V1__Reply *correct(
	struct world *w, const char *person, const struct av_id *id, Avvik__V1__CorrectContent *body)
{
	return world_act(w, person, id, ACT(CORRECT_CONTENT), &body->base, NULL);
}

/* The texts that a reader gets of the case, in order; those that are erased as "-". */
static void want_texts(struct world *w, const struct av_id *id, const char *want)
{
	Avvik__V1__ReadContent read = AVVIK__V1__READ_CONTENT__INIT;
	Avvik__V1__OpenContent open = AVVIK__V1__OPEN_CONTENT__INIT;
	struct av_id copy = *id;
	char got[400] = "", reference[40];
	Avvik__V1__Reply *reply;

	read.case_id = BINARY(copy);
	read.purpose = TEXT("utredning");
	snprintf(reference, sizeof(reference), "read-%u", ++w->references);
	reply = harness_order(w->h, &w->cases, reference, "sara", COMMAND(READ_CONTENT), &read.base);
	harness_want(reply, REPLY(DONE));
	for (size_t i = 0; i < reply->grant_issued->n_grants; i++) {
		Avvik__V1__Reply *opened;
		open.grant = reply->grant_issued->grants[i];
		snprintf(reference, sizeof(reference), "open-%u", ++w->references);
		opened = harness_order(w->h, &w->cases, reference, "sara", COMMAND(OPEN_CONTENT), &open.base);
		for (size_t k = 0; opened->opened_content && k < opened->opened_content->n_items; k++) {
			const Avvik__V1__OpenedItem *item = opened->opened_content->items[k];
			for (size_t p = 0; p < item->n_parts; p++) {
				const ProtobufCMessageDescriptor *type =
					item->parts[p]->part == AVVIK__V1__CONTENT_PART__CONTENT_PART_TEXT
						? &avvik__v1__case_text__descriptor
						: NULL;
				ProtobufCMessage *message = NULL;
				if (type)
					assert_int_equal(av_message_load(type,
								 av_bytes(item->parts[p]->body.data,
									 item->parts[p]->body.len),
								 w->h->arena, &message),
						AV_OK);
				strncat(got, type ? ((Avvik__V1__CaseText *)message)->text : "narrative",
					sizeof(got) - strlen(got) - 2);
				strcat(got, ";");
			}
			if (item->erased)
				strcat(got, "-;");
		}
	}
	assert_string_equal(got, want);
}

static struct av_id remedied(struct world *w, ProtobufCBinaryData *ret_content)
{
	Avvik__V1__Remedy remedy = AVVIK__V1__REMEDY__INIT;
	struct av_id id = world_file(w, world_report(w));

	remedy.text = TEXT("Olle Fel har fått en nyckel");
	world_does(w, "anna", &id, ACT(REMEDY), &remedy.base, NULL);
	*ret_content = world_case(w, &id)->contents[1]->content_id;
	return id;
}

static void a_text_is_erased_at_once_and_corrected_with_its_trace(void **state)
{
	Avvik__V1__CaseText text = AVVIK__V1__CASE_TEXT__INIT;
	Avvik__V1__CorrectContent body;
	ProtobufCBinaryData wrong, right;
	Avvik__V1__Correction *correction;
	Avvik__V1__Case *found;
	Avvik__V1__Reply *reply;
	struct av_id id, wrong_id;
	struct av_bytes opened;
	struct av_txn *txn;
	struct world w;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = remedied(&w, &wrong);
	wrong_id = id_of(wrong);
	want_texts(&w, &id, "Olle Fel har fått en nyckel;");
	body = correction_of(wrong);
	text.text = TEXT("brukaren har fått en nyckel");
	body.text = &text;
	harness_advance(w.h, harness_at("2026-04-08 10:00"));
	reply = correct(&w, "sara", &id, &body);
	harness_want(reply, REPLY(DONE));
	assert_null(reply->act_accepted->grant); /* it lay here */
	assert_int_equal(reply->act_accepted->state, STATE(RECEIVED));
	assert_int_equal(reply->act_accepted->version, world_case(&w, &id)->version);
	assert_memory_equal(
		harness_last(w.h, EVENT(CONTENT_ERASED))->content_erased->content_id.data, wrong.data, 16);
	want_texts(&w, &id, "brukaren har fått en nyckel;");
	txn = harness_read(w.h);
	assert_int_equal(av_content_get(txn, w.h->keys, &wrong_id, AVVIK__V1__CONTENT_PART__CONTENT_PART_TEXT,
				 w.h->arena, &opened),
		AV_ERASED);
	av_txn_abort(&txn);

	found = world_case(&w, &id);
	assert_int_equal(found->n_corrections, 1);
	correction = found->corrections[0];
	assert_string_equal(correction->person, "sara");
	assert_string_equal(correction->role, "SAS");
	assert_string_equal(correction->reason, "rattelse");
	assert_string_equal(correction->holder, "workflow");
	assert_true(correction->erased_at_ms == harness_at("2026-04-08 10:00"));
	assert_int_equal(
		correction->commitment.len, 32); /* that it was there, and what it would have to be */
	assert_memory_equal(correction->commitment.data, found->contents[1]->commitment.data, 32);
	right = correction->corrected_id;

	world_want_fault(
		correct(&w, "sara", &id, &body), REPLY(WRONG_STATE), "content_corrected"); /* twice */
	body = correction_of(right); /* what was corrected may be wrong too */
	text.text = TEXT("brukaren har fått två nycklar");
	body.text = &text;
	harness_want(correct(&w, "sara", &id, &body), REPLY(DONE));
	want_texts(&w, &id, "brukaren har fått två nycklar;");
	harness_check_replay(w.h);
	harness_restart(w.h);
	want_texts(&w, &id, "brukaren har fått två nycklar;");
	world_close(&w);
}

static void an_entry_points_to_what_is_right_also_when_the_investigation_is_locked(void **state)
{
	Avvik__V1__CaseText text = AVVIK__V1__CASE_TEXT__INIT;
	Avvik__V1__CorrectContent body;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	world_investigate(&w, &id);
	world_document(&w, &id);
	assert_int_equal(world_case(&w, &id)->state, STATE(ASSESSMENT));
	body = correction_of(world_case(&w, &id)->entries[2]->content_id);
	text.text = TEXT("rätt");
	body.text = &text;
	harness_want(correct(&w, "lena", &id, &body), REPLY(DONE));
	assert_memory_equal(world_case(&w, &id)->entries[2]->content_id.data,
		world_case(&w, &id)->corrections[0]->corrected_id.data, 16);
	assert_string_equal(world_case(&w, &id)->entries[2]->author, "eva"); /* whose entry it is */
	harness_check_replay(w.h);
	world_close(&w);
}

static void what_intake_holds_is_erased_there_and_read_by_nobody_meanwhile(void **state)
{
	Avvik__V1__ReportNarrative narrative = AVVIK__V1__REPORT_NARRATIVE__INIT;
	Avvik__V1__Reporter reporter = AVVIK__V1__REPORTER__INIT;
	Avvik__V1__ContentErased erased = AVVIK__V1__CONTENT_ERASED__INIT;
	Avvik__V1__FeedItem item = AVVIK__V1__FEED_ITEM__INIT;
	ProtobufCMessage *message = NULL;
	Avvik__V1__CorrectContent body;
	Avvik__V1__GrantBody *grant;
	ProtobufCBinaryData wrong;
	Avvik__V1__Reply *reply;
	struct av_txn *txn;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	wrong = world_case(&w, &id)->contents[0]->content_id;
	body = correction_of(wrong);
	narrative.description = TEXT("hon föll natten till den 7 april");
	body.narrative = &narrative;
	world_want_fault(correct(&w, "sara", &id, &body), REPLY(INVALID), "erasing takes the whole content");
	reporter.name = TEXT("Rut Rapportör");
	reporter.mail = TEXT("ingen adress");
	body.reporter = &reporter;
	reply = correct(&w, "sara", &id, &body);
	world_want_fault(reply, REPLY(INVALID), "is not a mail address");
	assert_string_equal(reply->faults[0]->path, "correct_content.reporter.mail");
	reporter.mail = TEXT("rut@example.org");
	reply = correct(&w, "sara", &id, &body);
	harness_want(reply, REPLY(DONE));
	assert_non_null(reply->act_accepted->grant);
	assert_int_equal(
		av_message_load(&avvik__v1__grant_body__descriptor,
			av_bytes(reply->act_accepted->grant->body.data, reply->act_accepted->grant->body.len),
			w.h->arena, &message),
		AV_OK);
	grant = (Avvik__V1__GrantBody *)message;
	assert_int_equal(grant->kind, AVVIK__V1__GRANT_KIND__GRANT_KIND_ERASE);
	assert_string_equal(grant->person, "sara");
	assert_int_equal(grant->n_items, 1);
	assert_string_equal(grant->items[0]->holder, "intake");
	assert_memory_equal(grant->items[0]->content_id.data, wrong.data, 16);
	assert_int_equal(grant->items[0]->n_parts, 3); /* the address too */
	assert_int_equal(world_case(&w, &id)->corrections[0]->erased_at_ms, 0);
	want_texts(&w, &id,
		"narrative;narrative;"); /* the right ones: narrative and reporter, both of the workflow */

	txn = harness_read(w.h); /* the reporter can still be answered */
	assert_int_equal(workflow_open_parts(w.h->keys, txn, harness_last(w.h, EVENT(CONTENT_CORRECTED)),
				 w.h->arena, &item),
		AV_OK);
	av_txn_abort(&txn);
	assert_int_equal(item.n_parts, 1);
	assert_int_equal(item.parts[0]->part, AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT);

	harness_advance(w.h, harness_at("2026-04-07 09:05"));
	erased.content_id = wrong;
	erased.person = TEXT("sara");
	assert_int_equal(
		harness_feed(w.h, "intake", harness_event(w.h, EVENT(CONTENT_ERASED), &erased.base, &id, 0)),
		AV_OK);
	assert_true(world_case(&w, &id)->corrections[0]->erased_at_ms > 0);
	assert_int_equal(harness_feed(w.h, "intake", /* told again, as after a restore */
				 harness_event(w.h, EVENT(CONTENT_ERASED), &erased.base, &id, 0)),
		AV_OK);
	assert_int_equal(harness_feed(w.h, "intake",
				 harness_event(w.h, EVENT(CONTENT_ERASED), &erased.base, NULL,
					 0)), /* of a directory */
		AV_OK);
	assert_int_equal(harness_count(w.h, EVENT(CORRECTION_COMPLETED), 0), 1);
	harness_check_replay(w.h);
	world_close(&w);
}

static void correcting_is_refused_by_name_with_what_would_satisfy_it(void **state)
{
	Avvik__V1__ReportPersons persons = AVVIK__V1__REPORT_PERSONS__INIT;
	Avvik__V1__EraseContent erase = AVVIK__V1__ERASE_CONTENT__INIT;
	Avvik__V1__OpenContent open = AVVIK__V1__OPEN_CONTENT__INIT;
	Avvik__V1__ActOnCase order = AVVIK__V1__ACT_ON_CASE__INIT;
	Avvik__V1__CaseText text = AVVIK__V1__CASE_TEXT__INIT;
	unsigned char unknown[16] = {5};
	Avvik__V1__CorrectContent body;
	ProtobufCBinaryData wrong;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = remedied(&w, &wrong);
	text.text = TEXT("rätt");
	body = correction_of(wrong);
	body.text = &text;
	world_want_fault(correct(&w, "anna", &id, &body), REPLY(FORBIDDEN), "holds none of the roles");
	world_want_fault(correct(&w, "eva", &id, &body), REPLY(FORBIDDEN), "holds none of the roles");
	body.reason = TEXT("tycker_sa");
	world_want_fault(correct(&w, "sara", &id, &body), REPLY(INVALID), "one of its erasure_reasons");
	body.reason = TEXT("rattelse");
	body.text = NULL;
	world_want_fault(correct(&w, "sara", &id, &body), REPLY(INVALID), "erasing takes the whole content");
	body.text = &text;
	body.persons = &persons;
	world_want_fault(correct(&w, "sara", &id, &body), REPLY(INVALID), "has no such part");
	body.persons = NULL;
	text.text = TEXT("");
	world_want_fault(correct(&w, "sara", &id, &body), REPLY(INVALID), "the text as it should be");
	text.text = TEXT("rätt");
	body.content_id = (ProtobufCBinaryData){16, unknown};
	world_want_fault(correct(&w, "sara", &id, &body), REPLY(INVALID), "content_unknown");
	body.content_id = wrong;
	order.case_id = BINARY(id);
	order.version_seen = 1;
	order.act_case = ACT(CORRECT_CONTENT);
	order.correct_content = &body;
	world_want_fault(harness_order(w.h, &w.cases, "stale", "sara", COMMAND(ACT_ON_CASE), &order.base),
		REPLY(STALE), "the case has changed");
	assert_int_equal(harness_count(w.h, EVENT(CONTENT_ERASED), 0), 0);

	order.version_seen = world_case(&w, &id)->version;
	reply = harness_order(w.h, &w.cases, "once", "sara", COMMAND(ACT_ON_CASE), &order.base);
	harness_want(reply, REPLY(DONE));
	assert_true(
		harness_order(w.h, &w.cases, "once", "sara", COMMAND(ACT_ON_CASE), &order.base)->repeated);
	assert_int_equal(harness_count(w.h, EVENT(CONTENT_CORRECTED), 0), 1);

	id = remedied(&w, &wrong); /* one that is erased already */
	erase.case_id = BINARY(id);
	erase.reason = TEXT("gallring");
	erase.n_content_ids = 1;
	erase.content_ids = &wrong;
	reply = harness_order(w.h, &w.cases, "e1", "reg", COMMAND(ERASE_CONTENT), &erase.base);
	harness_want(reply, REPLY(DONE));
	open.grant = reply->grant_issued->grants[0];
	harness_want(
		harness_order(w.h, &w.cases, "e2", "reg", COMMAND(OPEN_CONTENT), &open.base), REPLY(DONE));
	body = correction_of(wrong);
	body.text = &text;
	world_want_fault(correct(&w, "sara", &id, &body), REPLY(WRONG_STATE), "content_erased");
	harness_check_replay(w.h);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_erased_at_once_and_corrected_with_its_trace),
		cmocka_unit_test(an_entry_points_to_what_is_right_also_when_the_investigation_is_locked),
		cmocka_unit_test(what_intake_holds_is_erased_there_and_read_by_nobody_meanwhile),
		cmocka_unit_test(correcting_is_refused_by_name_with_what_would_satisfy_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
