# What the Extensions Index needs to know; Slicer stops at a missing entry too.
foreach(entry IN ITEMS HOMEPAGE CONTRIBUTORS DESCRIPTION ICONURL SCREENSHOTURLS DEPENDS)
  if("${EXTENSION_${entry}}" STREQUAL "")
    message(FATAL_ERROR "EXTENSION_${entry} is not set")
  endif()
endforeach()
