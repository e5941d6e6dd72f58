# The skeleton, shown with a tiny daemon: one ground, then one program for each side of a turn.
add_library(turn_world STATIC ${CMAKE_CURRENT_LIST_DIR}/turn_world.c ${CMAKE_CURRENT_LIST_DIR}/turn_journal.c)
target_include_directories(turn_world PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(turn_world PUBLIC avvik_toy avvik_harness PRIVATE avvik_flags)
foreach(part commands failures receipts feeds histories time)
	av_test(turn_${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/turn_${part}.c LINKS turn_world LABELS component)
endforeach()
av_test(daemon_shell SOURCES ${CMAKE_CURRENT_LIST_DIR}/daemon_shell.c LINKS turn_world avvik_client LABELS component)
