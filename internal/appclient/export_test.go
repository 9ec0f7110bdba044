package appclient

import "context"

// Token is the token that calls are made with, for tests to look at; nobody else sees it.
func (c *Client) Token(ctx context.Context) (chatToken, error) { return c.token(ctx) }
