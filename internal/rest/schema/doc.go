// Package schema judges the merged query and body of every operation by JSON
// Schema (draft 4) and says what is wrong in the words that clients of this API
// know. The schemas are data; limits come from the operator's configuration.
package schema
