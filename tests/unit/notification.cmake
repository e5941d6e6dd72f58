av_test(notification_rules SOURCES ${CMAKE_CURRENT_LIST_DIR}/notification_rules.c LINKS notification_rules avvik_org LABELS unit)
av_test(notification_mail SOURCES ${CMAKE_CURRENT_LIST_DIR}/notification_mail.c LINKS notification_rules LABELS unit)
av_test(notification_templates SOURCES ${CMAKE_CURRENT_LIST_DIR}/notification_templates.c LINKS notification_parts
	LABELS unit)
target_compile_definitions(test_notification_templates PRIVATE
	TEMPLATE_FOLDER="${CMAKE_CURRENT_LIST_DIR}/../../deploy/templates"
	RULES_FOLDER="${CMAKE_CURRENT_LIST_DIR}/../../deploy/rules")
