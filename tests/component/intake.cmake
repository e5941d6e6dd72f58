# Intake over a real store: one ground for all (senders, a report, what is published), then one program for each kind of message.
add_library(intake_world STATIC ${CMAKE_CURRENT_LIST_DIR}/intake_world.c)
target_include_directories(intake_world PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(intake_world PUBLIC intake_parts avvik_harness intake_support PRIVATE avvik_flags)
foreach(part reports publish content)
	av_test(intake_turn_${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/intake_${part}.c LINKS intake_world LABELS component)
endforeach()
