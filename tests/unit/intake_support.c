/* intake_support.c - see intake_support.h */
#include "intake_support.h"

#include "wire/yaml.h"

static ProtobufCMessage *land(struct av_yaml *yaml, const ProtobufCMessageDescriptor *type,
	struct av_arena *arena, struct av_faults *faults)
{
	ProtobufCMessage *message = NULL;
	int status = av_yaml_to(yaml, type, arena, faults, &message);
	av_yaml_close(&yaml);
	if (status < 0)
		fail_msg("%s: %s", faults->first->path, faults->first->text);
	return message;
}

ProtobufCMessage *support_message(
	const ProtobufCMessageDescriptor *type, const char *text, struct av_arena *arena)
{
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	av_faults_init(&faults, arena);
	if (av_yaml_open(av_bytes_of(text), "text", &faults, &yaml) < 0)
		fail_msg("%s: %s", faults.first->path, faults.first->text);
	return land(yaml, type, arena, &faults);
}

static ProtobufCMessage *from_file(
	const ProtobufCMessageDescriptor *type, const char *path, struct av_arena *arena)
{
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	av_faults_init(&faults, arena);
	if (av_yaml_open_file(path, &faults, &yaml) < 0)
		fail_msg("%s cannot be opened", path);
	return land(yaml, type, arena, &faults);
}

Avvik__V1__Directory *support_lindaker(struct av_arena *arena)
{
	return (Avvik__V1__Directory *)from_file(
		&avvik__v1__directory__descriptor, SOURCE_DIR "/deploy/directory/lindaker.yaml", arena);
}

Avvik__V1__RulePack *support_rules(struct av_arena *arena)
{
	return (Avvik__V1__RulePack *)from_file(
		&avvik__v1__rule_pack__descriptor, SOURCE_DIR "/deploy/rules/se-2025-07.yaml", arena);
}

Avvik__V1__RulePack *support_old_rules(struct av_arena *arena)
{
	return (Avvik__V1__RulePack *)from_file(
		&avvik__v1__rule_pack__descriptor, SOURCE_DIR "/deploy/rules/se-2001-453.yaml", arena);
}

static void print_faults(const struct av_faults *faults)
{
	for (const struct av_fault *fault = faults->first; fault; fault = fault->next)
		print_message("got  %s %s|%s\n",
			av_enum_name(&avvik__v1__fault_code__descriptor, fault->code), fault->path,
			fault->text);
}

static bool is_wanted(const struct av_fault *fault, const char *want)
{
	char head[400];
	const char *part = strchr(want, '|');
	snprintf(head, sizeof(head), "%s %s", av_enum_name(&avvik__v1__fault_code__descriptor, fault->code),
		fault->path);
	size_t length = part ? (size_t)(part - want) : strlen(want);
	return strlen(head) == length && strncmp(head, want, length) == 0 &&
	       (!part || strstr(fault->text, part + 1));
}

void support_assert_faults(const struct av_faults *faults, const char *const *want, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct av_fault *fault = faults->first;
		while (fault && !is_wanted(fault, want[i]))
			fault = fault->next;
		if (!fault) {
			print_faults(faults);
			fail_msg("want %s", want[i]);
		}
	}
	if (faults->count != count) {
		print_faults(faults);
		fail_msg("got %zu faults, want %zu", faults->count, count);
	}
}

void support_assert_no_faults(const struct av_faults *faults)
{
	if (faults->count)
		print_faults(faults);
	assert_int_equal(faults->count, 0);
}

av_day support_day(const char *text)
{
	av_day day;
	assert_int_equal(av_day_parse(text, &day), AV_OK);
	return day;
}

int64_t support_instant(const char *text)
{
	int64_t instant_ms;
	assert_int_equal(av_instant_parse(text, &instant_ms), AV_OK);
	return instant_ms;
}

int support_start(void **state)
{
	*state = av_arena_create(0);
	return *state ? 0 : -1;
}

int support_stop(void **state)
{
	struct av_arena *arena = *state;
	av_arena_destroy(&arena);
	return 0;
}
