# Mail by SMTP: a program that sends through notification's own transport, and servers that behave and misbehave.
add_executable(smtp_send ${CMAKE_CURRENT_LIST_DIR}/smtp_send.c)
target_link_libraries(smtp_send PRIVATE notification_parts avvik_flags)
set_target_properties(smtp_send PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
add_test(NAME scenario_smtp
	COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/smtp.py $<TARGET_FILE:smtp_send>)
set_tests_properties(scenario_smtp PROPERTIES TIMEOUT 120 LABELS scenario)
av_scenario(scenario_smtp_daemon COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/smtp_daemon.py)
