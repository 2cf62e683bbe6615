//! Mounting in an `axum` app.

use super::Http;

impl Http {
    /// A router with the endpoint `/mcp`, to be merged into an app under its layers.
    ///
    /// ```
    /// use mcp_runtime::Principal;
    /// use mcp_runtime::prelude::*;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mcp = Server::new("counter", "1.0.0").build()?.http().allowed_hosts(["mcp.example.com"]);
    /// // A real layer finds out who asks, and refuses whom it does not know.
    /// let identify = axum::Extension(Principal::new("ada"));
    /// let app: axum::Router = axum::Router::new().merge(mcp.into_router()).layer(identify);
    /// # let _ = app;
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_router<S: Clone + Send + Sync + 'static>(self) -> axum::Router<S> {
        self.into_router_at("/mcp")
    }

    /// A router with the endpoint at this path, which begins with a slash.
    pub fn into_router_at<S: Clone + Send + Sync + 'static>(self, path: &str) -> axum::Router<S> {
        axum::Router::new().route_service(path, self)
    }
}
