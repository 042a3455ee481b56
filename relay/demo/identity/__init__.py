"""The demo of identity: from an accreditation on the hub to refusals on the web and on another chain."""
