# Real sockets on loopback, server and peers in one process.
add_library(bus_world STATIC ${CMAKE_CURRENT_LIST_DIR}/bus_world.c)
target_include_directories(bus_world PUBLIC ${CMAKE_CURRENT_LIST_DIR} ${CMAKE_CURRENT_LIST_DIR}/../support)
target_link_libraries(bus_world PUBLIC avvik_bus PkgConfig::libzmq PkgConfig::cmocka PRIVATE avvik_flags)
foreach(part socket stream)
	av_test(bus_${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/bus_${part}.c LINKS bus_world LABELS component)
endforeach()

# Both ends of a feed.
add_library(bus_feed_world STATIC ${CMAKE_CURRENT_LIST_DIR}/bus_feed_world.c)
target_link_libraries(bus_feed_world PUBLIC bus_world PRIVATE avvik_flags)
foreach(part feed feed_wire)
	av_test(bus_${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/bus_${part}.c LINKS bus_feed_world LABELS component)
endforeach()

# libavvik, and a daemon in a thread of its own.
add_library(bus_client_world STATIC ${CMAKE_CURRENT_LIST_DIR}/bus_client_world.c)
target_link_libraries(bus_client_world PUBLIC bus_world avvik_client Threads::Threads PRIVATE avvik_flags)
foreach(part client client_summary)
	av_test(bus_${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/bus_${part}.c LINKS bus_client_world LABELS component)
endforeach()
