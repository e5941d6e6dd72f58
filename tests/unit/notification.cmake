# The town and the questions that the tests of who is told what share.
add_library(notification_town STATIC ${CMAKE_CURRENT_LIST_DIR}/notification_town.c)
target_include_directories(notification_town PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(notification_town PUBLIC notification_rules avvik_org PkgConfig::cmocka PRIVATE avvik_flags)
foreach(part rules hours facts)
	av_test(notification_${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/notification_${part}.c LINKS notification_town LABELS unit)
endforeach()
av_test(notification_mail SOURCES ${CMAKE_CURRENT_LIST_DIR}/notification_mail.c LINKS notification_rules LABELS unit)
av_test(notification_templates SOURCES ${CMAKE_CURRENT_LIST_DIR}/notification_templates.c LINKS notification_parts
	LABELS unit)
target_compile_definitions(test_notification_templates PRIVATE
	TEMPLATE_FOLDER="${CMAKE_CURRENT_LIST_DIR}/../../deploy/templates"
	RULES_FOLDER="${CMAKE_CURRENT_LIST_DIR}/../../deploy/rules")
