/* wire_samples.c - messages for the tests of wire */
#include "wire_samples.h"

#include "base/date.h"
#include "wire/shape.h"

int sample_setup(void **state)
{
	*state = av_arena_create(0);
	return *state ? 0 : -1;
}

int sample_teardown(void **state)
{
	struct av_arena *arena = *state;
	av_arena_destroy(&arena);
	return 0;
}

static void *made(struct av_arena *arena, const ProtobufCMessageDescriptor *type)
{
	void *message = av_arena_zalloc(arena, type->sizeof_message);
	assert_non_null(message);
	protobuf_c_message_init(type, message);
	return message;
}

Avvik__V1__FileReport *sample_report(struct av_arena *arena)
{
	static char description[] =
		"Under kvällspasset upptäcktes att den enskilde inte hade fått sin beviljade insats på två "
		"dagar. "
		"Larmet hade gått flera gånger utan att någon svarade, och dörren var låst utifrån.\n"
		"Vikarien hade inte fått någon introduktion och visste inte att dubbelbemanning gällde. "
		"Den enskilde var uttorkad och orolig när personalen kom in, och hade försökt ringa sin "
		"dotter. "
		"Nyckeln fanns inte i skåpet, och ingen på kontoret visste vem som hade kvitterat ut den. "
		"Kvällens planering visade att besöket var avprickat som utfört, fast ingen hade varit där.\n"
		"Samma sak hände för tre veckor sedan, då utan skada.";
	static char consequence[] =
		"Uttorkning, oro och en natt utan tillsyn; läkare tillkallades på morgonen.";
	static Avvik__V1__Law laws[] = {AVVIK__V1__LAW__LAW_SOL, AVVIK__V1__LAW__LAW_HSL};
	Avvik__V1__FileReport *report = made(arena, &avvik__v1__file_report__descriptor);
	Avvik__V1__ReportNarrative *narrative = made(arena, &avvik__v1__report_narrative__descriptor);
	Avvik__V1__ImmediateMeasure *measure = made(arena, &avvik__v1__immediate_measure__descriptor);
	Avvik__V1__ReportPersons *persons = made(arena, &avvik__v1__report_persons__descriptor);
	Avvik__V1__AffectedPerson *person = made(arena, &avvik__v1__affected_person__descriptor);
	Avvik__V1__Reporter *reporter = made(arena, &avvik__v1__reporter__descriptor);

	report->type = AVVIK__V1__REPORT_TYPE__REPORT_TYPE_LEX_SARAH;
	report->unit = TEXT("tallen");
	report->concerns = AVVIK__V1__CONCERNS__CONCERNS_ONE_PERSON;
	report->occurred_from_at_ms = av_local_instant(av_day_of((struct av_date){2026, 4, 5}), 18 * 3600000);
	report->noticed_at_ms = report->occurred_from_at_ms + 13 * 3600000;
	report->channel = AVVIK__V1__CHANNEL__CHANNEL_SYSTEM;
	report->laws = laws;
	report->n_laws = AV_COUNT(laws);
	report->category = TEXT("UTF");
	report->subcategory = TEXT("UTF_UTEBLIVEN");
	report->preliminary_degree = AVVIK__V1__DEGREE__DEGREE_MISCONDUCT;
	report->narrative = narrative;
	report->persons = persons;
	report->reporter = reporter;
	narrative->description = description;
	narrative->consequence = consequence;
	narrative->noticed_how = TEXT("Vid ordinarie tillsyn på morgonen");
	narrative->n_immediate_measures = 1;
	narrative->immediate_measures = av_arena_copy(arena, &measure, sizeof(void *));
	measure->text = TEXT("Läkare tillkallad, extra tillsyn varannan timme, dottern informerad.");
	measure->taken_at_ms = report->noticed_at_ms + 600000;
	measure->taken_by = TEXT("Sjuksköterska i tjänst");
	persons->n_affected = 1;
	persons->affected = av_arena_copy(arena, &person, sizeof(void *));
	person->reference = TEXT("B-20418");
	person->sex = AVVIK__V1__SEX__SEX_WOMAN;
	person->birth_year = 1938;
	reporter->name = TEXT("Mira Ekdal");
	reporter->role = TEXT("undersköterska");
	reporter->mail = TEXT("mira.ekdal@example.se");
	return report;
}

static char *text_for(const struct av_field_shape *f, struct av_arena *arena, struct av_random *random)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
	if (f->flags & AV_MAIL)
		return av_arena_printf(arena, "p%u@example.se", (unsigned)av_random_below(random, 1000));
	size_t least = AV_MAX(f->min, 1), most = AV_MAX(least, AV_MIN(f->max, 30));
	size_t size = least + av_random_below(random, most - least + 1);
	char *text = av_arena_zalloc(arena, size + 1);
	for (size_t i = 0; i < size; i++)
		text[i] = letters[av_random_below(random, sizeof letters - 1)];
	if (!(f->flags & (AV_CODE | AV_LINE)) && size >= 6)
		memcpy(text, "\xc3\xa5 \n\"\\", 6);
	return text;
}

static uint64_t number_for(const struct av_field_shape *f, struct av_random *random)
{
	if (f->form == AV_FORM_DAY)
		return 18000 + av_random_below(random, 20000);
	if (f->form == AV_FORM_INSTANT)
		return INT64_C(1500000000000) + av_random_below(random, INT64_C(1000000000000));
	uint64_t least = AV_MAX(f->min, 1);
	uint64_t most = f->max ? f->max : f->kind == AV_KIND_UINT64 ? UINT64_MAX : INT32_MAX;
	return least + av_random_below(random, most - least + 1);
}

static void fill_bytes(const struct av_field_shape *f, struct av_arena *arena, struct av_random *random,
	ProtobufCBinaryData *to)
{
	if (f->form == AV_FORM_EVENT) {
		Avvik__V1__Event *event = made(arena, &avvik__v1__event__descriptor);
		event->sequence = 1 + av_random_below(random, 1000);
		av_body_set(&event->base, AVVIK__V1__EVENT__BODY_CASE_PLACED,
			sample_filled(&avvik__v1__case_placed__descriptor, arena, random, 0));
		struct av_bytes wire = av_message_pack(&event->base, arena);
		*to = (ProtobufCBinaryData){wire.size, (uint8_t *)(uintptr_t)wire.data};
		return;
	}
	size_t size = f->flags & AV_ID ? 16 : f->flags & AV_HASH ? 32 : AV_MAX(f->min, 9);
	to->len = size;
	to->data = av_arena_alloc(arena, size);
	av_random_fill(random, to->data, size);
}

static void fill_value(
	const struct av_field_shape *f, struct av_arena *arena, struct av_random *random, void *to)
{
	switch ((enum av_kind)f->kind) {
	case AV_KIND_TEXT:
		*(char **)to = text_for(f, arena, random);
		break;
	case AV_KIND_BYTES:
		fill_bytes(f, arena, random, to);
		break;
	case AV_KIND_BOOL:
		*(protobuf_c_boolean *)to = 1;
		break;
	case AV_KIND_ENUM:
		*(int *)to =
			f->choices->type->values[1 + av_random_below(random, f->choices->type->n_values - 1)]
				.value;
		break;
	case AV_KIND_INT32:
	case AV_KIND_UINT32:
		*(uint32_t *)to = (uint32_t)number_for(f, random);
		break;
	case AV_KIND_INT64:
	case AV_KIND_UINT64:
		*(uint64_t *)to = number_for(f, random);
		break;
	case AV_KIND_DOUBLE:
		*(double *)to = (double)av_random_below(random, 100000) / 8;
		break;
	case AV_KIND_MESSAGE:
		*(ProtobufCMessage **)to =
			sample_filled(f->child->type, arena, random, (unsigned)av_random_below(random, 97));
		break;
	}
}

unsigned int sample_turns(const ProtobufCMessageDescriptor *type)
{
	unsigned turns = 0;
	for (unsigned i = 0; i < type->n_fields; i++)
		turns += (type->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
	return AV_MAX(turns, 1);
}

ProtobufCMessage *sample_filled(const ProtobufCMessageDescriptor *type, struct av_arena *arena,
	struct av_random *random, unsigned int turn)
{
	ProtobufCMessage *message = made(arena, type);
	const struct av_shape *shape = av_shape_of(type);
	char *base = (char *)message;
	unsigned member = 0;
	turn %= sample_turns(type);
	for (unsigned i = 0; i < type->n_fields; i++) {
		const struct av_field_shape *f = &shape->fields[i];
		char *at = base + f->field->offset;
		if (f->oneof && member++ != turn)
			continue;
		if (f->oneof)
			*(uint32_t *)(void *)(base + f->field->quantifier_offset) = f->field->id;
		if (!f->repeated) {
			fill_value(f, arena, random, at);
			continue;
		}
		size_t count = AV_MIN(1 + av_random_below(random, 2), f->items);
		char *items = av_arena_zalloc(arena, count * av_kind_size(f->kind));
		for (size_t n = 0; n < count; n++)
			fill_value(f, arena, random, items + n * av_kind_size(f->kind));
		*(size_t *)(void *)(base + f->field->quantifier_offset) = count;
		*(char **)(void *)at = items;
	}
	return message;
}

static void print_faults(const struct av_faults *faults)
{
	print_error("the faults (%zu):\n", faults->count);
	for (const struct av_fault *f = faults->first; f; f = f->next)
		print_error("  %d \"%s\": %s\n", f->code, f->path, f->text);
}

void assert_fault(const struct av_faults *faults, int code, const char *path, const char *text)
{
	for (const struct av_fault *f = faults->first; f; f = f->next)
		if (f->code == code && strcmp(f->path, path) == 0 && strstr(f->text, text))
			return;
	print_faults(faults);
	fail_msg("no fault with code %d at \"%s\" that says \"%s\"", code, path, text);
}

void assert_no_faults(const struct av_faults *faults)
{
	if (faults->count == 0)
		return;
	print_faults(faults);
	fail_msg("got %zu faults, want none", faults->count);
}

char *sample_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = malloc(1 << 20);
	if (!file || !text)
		fail_msg("%s cannot be read", path);
	size_t size = fread(text, 1, (1 << 20) - 1, file);
	text[size] = '\0';
	fclose(file);
	return text;
}
